// Runs a workspace task from a fresh clone with nothing but Node and npm: installs with the pinned pnpm,
// builds, then runs `scripts/<task>.mjs`. Uses no dependency, because none is installed yet.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [task = 'start', ...args] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devEngines.packageManager;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Headframe needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(78);
}

const onPath = spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8' });
const pnpm = onPath.status === 0 && onPath.stdout.trim() === version ? ['pnpm'] : ['npx', '--yes', `pnpm@${version}`];

function run(command, options = {}) {
  const result = spawnSync(command[0], command.slice(1), { cwd: root, stdio: 'inherit', ...options });
  if (result.error) {
    console.error(`Cannot run ${command.join(' ')}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

run([...pnpm, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn']);
run([...pnpm, 'run', '--silent', 'build']);

// The task itself may run long and ends in order on a signal, so it must not be waited for with closed ears.
const child = spawn(process.execPath, [join(root, 'scripts', `${task}.mjs`), ...args], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`Cannot run ${task}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
