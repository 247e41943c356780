import { defineConfig } from 'vite';
import { fixtureApi } from './dev/vite-plugin.js';

export default defineConfig({
  // Relative addresses: the page works under any path of a reverse proxy.
  base: './',
  plugins: [fixtureApi()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    // The first with `toSorted`, `color-mix()` and `<search>` understood or harmless.
    target: ['chrome111', 'firefox115', 'safari16.4'],
    // Every file the page needs is a file of its own, so that `default-src 'self'` allows all of it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 200,
  },
});
