// The soak, longer than `npm test` has time for. Build first (npm test does).
//   node tests/soak/run.mjs [--minutes 10] [--miners 500] [--storage sqlite|postgres]
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    miners: { type: 'string', default: '500' },
    storage: { type: 'string', default: 'sqlite' },
    help: { type: 'boolean', default: false },
  },
});
const isRight = Number(values.minutes) > 0 && Number(values.miners) > 0 && /^(sqlite|postgres)$/.test(values.storage);
if (values.help || !isRight) {
  console.log('node tests/soak/run.mjs [--minutes 10] [--miners 500] [--storage sqlite|postgres]');
  process.exit(values.help ? 0 : 64);
}
const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = join(dirname(createRequire(join(root, 'package.json')).resolve('vitest/package.json')), 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', 'tests/soak/soak.test.ts', '--disable-console-intercept'], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    SOAK_MINUTES: values.minutes,
    SOAK_MINERS: values.miners,
    SOAK_STORAGE: values.storage,
  },
});
child.on('exit', (code) => process.exit(code ?? 1));
