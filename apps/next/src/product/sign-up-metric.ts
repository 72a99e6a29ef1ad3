/** What the shop wants of its visitors: the metric that every frontend reports. */
export const SIGN_UP = 'signup';
