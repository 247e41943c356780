// `npm start`: the demo (devnode, pool and CPU miner in one go). Arguments go to the binary: `npm start -- --help`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const binary = join(import.meta.dirname, '..', 'apps', 'pool', 'bin', 'headframe.js');
const child = spawn(process.execPath, [binary, 'demo', ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
