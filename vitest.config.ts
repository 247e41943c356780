import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const packages = fileURLToPath(new URL('./packages', import.meta.url));

// Tests read sources, so that a failing line is the line you edit. Suites that start threads or the
// binary use the build (Node 20 cannot start a worker from TypeScript); `npm test` builds first.
const alias = [
  { find: /^@headframe\/([a-z0-9-]+)$/, replacement: `${packages}/$1/src/index.ts` },
  { find: /^@headframe\/([a-z0-9-]+)\/([a-z0-9-]+)$/, replacement: `${packages}/$1/src/$2.ts` },
];

export default defineConfig({
  resolve: { alias },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'apps/*/test/**/*.test.ts',
      'tests/**/*.test.ts',
      'examples/test/**/*.test.ts',
    ],
    // Generous: a test that hangs is found all the same, and a busy machine is no failure.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
