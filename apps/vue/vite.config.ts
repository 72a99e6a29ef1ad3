import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { precompress } from './build/precompress.ts';

export default defineConfig({
  // Everything the browser loads from this frontend sits under one prefix, so that
  // the edge can tell its files from those of the other variants by path alone.
  base: '/_mfe/vue/',
  // Pages are answered by src/server.ts; Vite only builds and serves modules.
  appType: 'custom',
  publicDir: false,
  plugins: [vue(), precompress()],
  define: { __VUE_OPTIONS_API__: 'false' },
  build: {
    emptyOutDir: true,
    // Inlined files would need `data:` in the page's content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  optimizeDeps: { include: ['vue', 'vue-router'] },
});
