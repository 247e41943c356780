// `npm run fuzz -- --seconds 60 --target submit`: tries mutated inputs on the parsers, longer than `npm test` does.
// --target NAME[,NAME...]  only these (default: all, one after the other); --list names them
// --seconds N              time per target (default 10)
// --seed N                 default: the time; printed, so that a run can be repeated
// --replay HEX             tries one input on the one target named
import { parseArgs } from 'node:util';
import { FUZZ_TARGETS, FuzzFailure, loadCorpus, replay, runFuzz } from '../fuzz/dist/index.js';

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string' },
    replay: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(`Usage: npm run fuzz -- [options]

  --target NAME[,NAME...]  only these (default: all, one after the other); --list names them
  --seconds N              time per target (default 10)
  --seed N                 default: the time; printed, so that a run can be repeated
  --replay HEX             try one input on the one target named
  --list                   the targets and what each must hold
  -h, --help               show this help`);
  process.exit(0);
}

function stop(message) {
  console.error(message);
  process.exit(64);
}

if (values.list) {
  for (const { name, promise } of FUZZ_TARGETS) console.log(`${name.padEnd(10)} ${promise}`);
  process.exit(0);
}

const names = values.target?.split(',') ?? FUZZ_TARGETS.map(({ name }) => name);
const targets = names.map(
  (name) => FUZZ_TARGETS.find((target) => target.name === name) ?? stop(`no target "${name}"; see --list`),
);
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
if (!(seconds > 0)) stop(`--seconds must be a positive number, not ${values.seconds}`);
if (!Number.isInteger(seed)) stop(`--seed must be an integer, not ${values.seed}`);

let failed = false;
for (const target of targets) {
  try {
    if (values.replay !== undefined) {
      console.log(`${target.name}: ${await replay(target, Buffer.from(values.replay, 'hex'))}`);
      continue;
    }
    const { runs, outcomes } = await runFuzz(target, { ms: seconds * 1000, seed, corpus: loadCorpus(target.name) });
    console.log(`${target.name.padEnd(10)} ${runs} inputs, ${outcomes.size} outcomes, seed ${seed}: holds`);
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    failed = true;
    console.error(`${error.message}\n(seed ${seed})`);
  }
}
process.exit(failed ? 1 : 0);
