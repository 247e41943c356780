// `npm test`: every check and suite, a summary, and on the last line alone `N passed, N failed`.
// Arguments filter: `npm test -- --only unit`. Skipped tests are printed by name.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(`Usage: npm test -- [--only checks|unit|e2e]

Runs lint, types, layers, exports, unused code, docs, reference and parity pages, then every suite, and then looks that
each test named on the parity page ran. Skipped tests are named.
HEADFRAME_REQUIRE_SERVICES=1 makes a test that would be skipped fail.`);
  process.exit(0);
}

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const folder = mkdtempSync(join(tmpdir(), 'headframe-test-'));
const report = join(folder, 'vitest.json');

const checks = [
  ['lint', [bin('biome'), 'check', '--error-on-warnings', '.']],
  ['types', [bin('tsc'), '-p', 'tsconfig.tests.json']],
  ['layers', [process.execPath, 'scripts/layers.mjs']],
  ['exports', [process.execPath, 'scripts/publint.mjs']],
  ['unused code', [bin('knip'), '--no-progress', '--no-config-hints']],
  ['docs', [process.execPath, 'scripts/docs.mjs']],
  ['reference pages', [process.execPath, 'scripts/reference.mjs', '--check']],
  ['parity', [process.execPath, 'scripts/parity.mjs']],
];

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
let passed = 0;
let failed = 0;
const failures = [];
const skipped = [];
const timings = [];

function run(command, quiet) {
  const started = performance.now();
  const result = spawnSync(command[0], command.slice(1), {
    cwd: root,
    encoding: 'utf8',
    stdio: quiet ? 'pipe' : 'inherit',
    maxBuffer: 1 << 28,
  });
  return {
    ok: result.status === 0,
    text: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`,
    seconds: (performance.now() - started) / 1000,
  };
}

function check(name, command) {
  const { ok, text, seconds } = run(command, true);
  timings.push([`check: ${name}`, seconds]);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`);
  if (ok) passed++;
  else {
    failed++;
    failures.push(`check: ${name}`);
    console.error(text.trim());
  }
  return text;
}

if (!only || only === 'checks') for (const [name, command] of checks) check(name, command);

if (only !== 'checks') {
  const filter = only === 'unit' ? ['packages'] : only === 'e2e' ? ['tests/e2e'] : [];
  const { seconds } = run(
    [bin('vitest'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filter],
    false,
  );
  timings.push(['suites', seconds]);
  try {
    const results = JSON.parse(readFileSync(report, 'utf8'));
    passed += results.numPassedTests;
    failed += results.numFailedTests;
    for (const file of results.testResults) {
      const where = relative(root, file.name);
      for (const test of file.assertionResults) {
        if (test.status === 'failed') failures.push(`${where}: ${test.fullName}`);
        else if (test.status !== 'passed') skipped.push(`${where}: ${test.fullName}`);
      }
      if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
        failed++;
        failures.push(`${where}: ${file.message.split('\n')[0]}`);
      }
    }
    if (results.success === false && failed === 0) {
      failed++;
      failures.push('vitest reported an error outside any test');
    }
  } catch (error) {
    failed++;
    failures.push(`no test report: ${error.message}`);
  }
  // Of a part of the suites it would miss the others.
  if (!only && existsSync(report)) {
    const text = check('parity: tests that ran', [process.execPath, 'scripts/parity.mjs', '--report', report]);
    for (const line of text.split('\n')) if (line.startsWith('not run: ')) console.log(line);
  }
}
rmSync(folder, { recursive: true, force: true });

if (process.env.HEADFRAME_REQUIRE_SERVICES === '1' && skipped.length > 0) {
  failed += skipped.length;
  failures.push(...skipped.map((name) => `${name} (skipped, but nothing may be skipped here)`));
}
for (const name of skipped) console.log(`skipped: ${name}`);
for (const name of failures) console.log(`failed: ${name}`);
console.log(timings.map(([name, seconds]) => `${name} ${seconds.toFixed(1)} s`).join(', '));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
