'use client';

export { Broken as default } from '../../screens/broken.tsx';
