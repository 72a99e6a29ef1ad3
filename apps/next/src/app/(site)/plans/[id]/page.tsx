export { default, generateMetadata } from '../../../../screens/plan-details.tsx';
