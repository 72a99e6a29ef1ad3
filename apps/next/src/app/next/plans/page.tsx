export { default, metadata } from '../../../screens/plan-list.tsx';
