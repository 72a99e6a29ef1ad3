export { default } from '../../screens/home.tsx';
