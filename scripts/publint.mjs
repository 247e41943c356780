// Checks that every publishable package's exports point at files that exist and resolve (publint).
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = join(import.meta.dirname, '..');
let problems = 0;
for (const name of readdirSync(join(root, 'packages'))) {
  const pkgDir = join(root, 'packages', name);
  const { messages, pkg } = await publint({ pkgDir, pack: false, level: 'warning' });
  for (const message of messages) {
    problems++;
    console.error(`${name}: ${formatMessage(message, pkg)}`);
  }
}
console.log(problems === 0 ? 'publint: all packages in order' : `publint: ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
