// A server and the load, each in its own process, and what is measured between two marks.
import { startProcess } from './ipc.mjs';

const POOL = new URL('./pool-server.mjs', import.meta.url);
const ANSWER_ONLY = new URL('./answer-only.mjs', import.meta.url);
const LOAD = new URL('./load.mjs', import.meta.url);

export const startLoad = () => startProcess(LOAD);

/**
 * @typedef {object} Subject a server under test
 * @property {string} name
 * @property {import('./ipc.mjs').Process} process
 * @property {number} port
 */

/**
 * @param {string} name
 * @param {object | undefined} options of the pool server; undefined: the one that only answers
 * @returns {Promise<Subject>}
 */
export async function startSubject(name, options) {
  const child = await startProcess(options === undefined ? ANSWER_ONLY : POOL, { execArgv: ['--expose-gc'] });
  const { port } = await child.call('start', options ?? {});
  return { name, process: child, port };
}

/** @param {Subject} subject */
export async function stopSubject({ process: child }) {
  await child.call('stop');
  await child.stop();
}

/**
 * Shares per second, microseconds of the server's CPU for each, and reply times of one run of the load.
 *
 * @param {Subject} subject
 * @param {import('./ipc.mjs').Process} load connected to it already
 * @param {'closed' | 'paced'} command
 * @param {object} options
 */
export async function run(subject, load, command, options) {
  const server = subject.process;
  const before = await server.call('mark');
  const marks = [];
  const result = await load.call(command, options, () => marks.push(server.call('mark')));
  const [begin, end] = await Promise.all(marks);
  const after = await server.call('mark');
  check(subject, before, after, result.total);
  const accepted = end.accepted - begin.accepted;
  const rejected = sum(end.rejected) - sum(begin.rejected);
  const shares = accepted + rejected;
  return {
    perSecond: accepted / result.seconds,
    cpuPerShare: (end.cpu - begin.cpu) / accepted,
    loadCpuPerShare: (result.cpu ?? 0) / result.replies,
    cores: (end.cpu - begin.cpu) / 1e6 / result.seconds,
    rejectedPart: rejected / shares,
    p50: result.p50,
    p99: result.p99,
  };
}

const sum = (/** @type {Record<string, number>} */ counts) => Object.values(counts).reduce((a, b) => a + b, 0);

/** Every share has its answer; the wrong ones and (but for a hash in 59,000) only those were rejected. */
function check({ name }, before, after, { sent, replies, rejected, wrong, closed }) {
  const problems = [];
  if (sent !== replies) problems.push(`${sent} shares, ${replies} answers`);
  if (closed !== 0) problems.push(`${closed} connections were closed`);
  if (Object.keys(after.rejected).length > 0) {
    const grown = (/** @type {string} */ code) => (after.rejected[code] ?? 0) - (before.rejected[code] ?? 0);
    const expected = grown('job-not-found') + grown('duplicate');
    const low = grown('low-difficulty');
    if (rejected !== expected + low) problems.push(`${rejected} refusals arrived, ${expected + low} were sent`);
    // A wrong share may repeat one that was too low itself.
    if (Math.abs(wrong - expected) > low || low > 10 + sent / 5_000) {
      problems.push(`${wrong} of ${sent} were wrong, refused were ${JSON.stringify(after.rejected)}`);
    }
    const accepted = after.accepted - before.accepted;
    if (accepted !== sent - rejected) problems.push(`${accepted} accepted, ${sent - rejected} answered so`);
    if (after.shareEvents - before.shareEvents !== sent) problems.push('events are missing');
  }
  if (problems.length > 0) throw new Error(`${name}: ${problems.join('; ')}`);
}

/**
 * Rounds over all of `cases`, one after the other, so that a slow moment of the machine hits all alike.
 *
 * @template Case, Sample
 * @param {readonly Case[]} cases
 * @param {number} rounds
 * @param {(one: Case) => Promise<Sample>} measure
 * @returns {Promise<Map<Case, Sample[]>>}
 */
export async function alternate(cases, rounds, measure) {
  const samples = new Map(cases.map((one) => [one, /** @type {Sample[]} */ ([])]));
  for (let round = 0; round < rounds; round++) {
    // Whoever comes first after the others' warm caches is another one each time.
    const order = round % 2 === 0 ? cases : [...cases].reverse();
    for (const one of order) samples.get(one)?.push(await measure(one));
  }
  return samples;
}
