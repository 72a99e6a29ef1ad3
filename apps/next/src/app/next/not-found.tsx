export { Missing as default } from '../../screens/missing.tsx';
