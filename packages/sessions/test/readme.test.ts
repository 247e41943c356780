import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as api from '../src/index.js';

it('the example in the README uses only what the package exports', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const imported = /import \{([^}]*)\} from '@headframe\/sessions'/.exec(readme)?.[1] ?? '';
  const names = imported
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) expect(api, name).toHaveProperty(name);
});
