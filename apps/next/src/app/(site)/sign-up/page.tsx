export { default, metadata } from '../../../screens/sign-up.tsx';
