/** Addresses under /next that no route has: a 404 page whose links stay under /next. */
export { Missing as default, missingMetadata as metadata } from '../../../screens/missing.tsx';
