// `npm run bench`: what a share costs, alone and through the whole server, and what connections cost.
// --only NAME[,NAME...]  parts to run (default: all): share, throughput, latency, connections, growth, ledger
// --quick                fewer and shorter rounds
// --json FILE            also writes the tables as JSON
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { formatTable } from '../bench/table.mjs';

const PARTS = ['share', 'throughput', 'latency', 'connections', 'growth', 'ledger', 'storage', 'notify'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench -- [options]

  --only NAME[,NAME...]  parts to run (default: all): ${PARTS.join(', ')}
  --quick                fewer and shorter rounds
  --json FILE            also write the tables as JSON
  -h, --help             show this help`);
  process.exit(0);
}
const names = values.only?.split(',') ?? PARTS;
const unknown = names.find((name) => !PARTS.includes(name));
if (unknown !== undefined) {
  console.error(`no part "${unknown}"; there are ${PARTS.join(', ')}`);
  process.exit(64);
}

function git(...args) {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

const dirty = git('status', '--porcelain', '--untracked-files=no', 'packages') === '' ? '' : ' with changes';
const about = {
  machine: `${availableParallelism()} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
  node: process.version,
  commit: `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${dirty}`,
  date: new Date().toISOString().slice(0, 10),
};
const load = () => loadavg()[0]?.toFixed(1);
console.log(`${about.machine}\nNode ${about.node}, commit ${about.commit}, ${about.date}\n`);

const tables = [];
for (const name of names) {
  const before = load();
  const { run } = await import(`../bench/${name}.mjs`);
  const made = await run({ quick: values.quick });
  for (const table of [made].flat()) {
    const text = { ...table, title: `${table.title} (load average ${before} to ${load()})` };
    tables.push(text);
    console.log(`${formatTable(text)}\n`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...about, tables }, null, 2)}\n`);
