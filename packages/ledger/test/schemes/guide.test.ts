import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as ledger from '../../src/index.js';

const guide = readFileSync(new URL('../../../../docs/guides/payout-schemes.md', import.meta.url), 'utf8');
const examples = [...guide.matchAll(/^```js\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```/gm)].map(
  ([, code = '', output = '']) => ({ name: /import \{ (.*) \}/.exec(code)?.[1] ?? 'nothing', code, output }),
);

/** Runs an example as it stands in the guide and returns what it prints. */
function run(code: string): string {
  const body = code.replace(/^import (\{.*\}) from '@headframe\/ledger';$/m, 'const $1 = ledger;');
  const printed: string[] = [];
  const example = new Function('ledger', 'console', body);
  example(ledger, { log: (line: string) => printed.push(`${line}\n`) });
  return printed.join('');
}

describe('the guide to payout schemes', () => {
  it('has examples with their output', () => {
    expect(examples).toHaveLength(guide.match(/^```js$/gm)?.length ?? 0);
    expect(examples.length).toBeGreaterThan(3);
  });

  it.each(examples)('prints what it says: $name', ({ code, output }) => {
    expect(run(code)).toBe(output);
  });

  it('has the size classes of the code', () => {
    for (const { maxBytes } of ledger.COINBASE_SIZE_CLASSES) expect(guide).toContain(maxBytes.toLocaleString('en-US'));
  });
});
