import { defineConfig } from 'vite';
import { fixtureApi } from './dev/vite-plugin.js';

export default defineConfig({
  // Relative addresses: the page works under any path of a reverse proxy.
  base: './',
  plugins: [fixtureApi()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome107', 'firefox104', 'safari16'],
    // Every file the page needs is a file of its own, so that `default-src 'self'` allows all of it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 200,
  },
});
