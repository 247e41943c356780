// The load process of the server benchmarks: many Stratum connections in one Node process.
import { serve, tell } from './ipc.mjs';
import { counters, latencies, Miner } from './miner.mjs';
import { now, usage } from './usage.mjs';

/** @type {Miner[]} */
let miners = [];
/** Those that mine; the others stay connected and idle. */
let active = 0;

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = new Int32Array(new SharedArrayBuffer(4));
/** Sleeps without a timer of the event loop, whose steps of a millisecond would send shares in bursts. */
const nap = () => Atomics.wait(never, 0, 0, 0.2);

/** Waits until every share has its answer. @param {number} timeoutMs */
async function drain(timeoutMs = 10_000) {
  const deadline = now() + timeoutMs;
  while (counters.replies < counters.sent && now() < deadline) await sleep(5);
}

function begin() {
  latencies.count = 0;
  tell('begin');
  return { ...counters, at: now() };
}

/** @param {ReturnType<typeof begin>} start */
function end(start) {
  const seconds = (now() - start.at) / 1000;
  tell('end');
  return { seconds, replies: counters.replies - start.replies, ...latencies.percentiles() };
}

/** Starts to mine with the first `connections` (default: all). */
function arm({ outstanding, closedLoop, connections = miners.length }) {
  active = connections;
  for (const key of Object.keys(counters)) counters[key] = 0;
  for (const miner of miners.slice(0, connections)) {
    miner.prepare(outstanding);
    miner.isMining = true;
    miner.isClosedLoop = closedLoop;
  }
}

function disarm() {
  for (const miner of miners) miner.isMining = false;
}

serve({
  /** Opens connections, at most `parallel` handshakes at a time. `names`: worker names per connection. */
  async open({ port, connections, parallel = 256, names = 1 }) {
    const target = { host: '127.0.0.1', port };
    const first = miners.length;
    const cpu = usage().cpu;
    const started = now();
    let next = 0;
    const opener = async () => {
      while (next < connections) {
        const index = first + next++;
        const own = Array.from({ length: names }, (_, i) => `load.${String(index * names + i).padStart(6, '0')}`);
        const miner = new Miner(index, target, own);
        miners.push(miner);
        await miner.handshake();
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallel, connections) }, opener));
    const seconds = (now() - started) / 1000;
    return { seconds, perSecond: connections / seconds, cpu: usage().cpu - cpu };
  },

  /**
   * Closed loop: every connection keeps `outstanding` shares on the way. Counting starts after `warmupMs`, and after
   * each connection had `firstShares` answers.
   */
  async closed({ outstanding, ms, warmupMs = 0, firstShares = 0, connections = miners.length }) {
    arm({ outstanding, closedLoop: true, connections });
    for (const miner of miners.slice(0, active)) miner.send(outstanding, now());
    await sleep(warmupMs);
    while (counters.replies < firstShares * active) await sleep(20);
    const cpu = usage().cpu;
    const start = begin();
    await sleep(ms);
    const result = { ...end(start), cpu: usage().cpu - cpu };
    for (const miner of miners) miner.isClosedLoop = false;
    await drain();
    disarm();
    return { ...result, total: { ...counters } };
  },

  /**
   * Open loop: a fixed rate spread evenly over the connections, whatever the replies do. Latency counts from when a
   * share was due, not from when it could be sent.
   */
  async paced({ perSecond, ms, warmupMs = 0 }) {
    arm({ outstanding: 1024, closedLoop: false });
    const started = now();
    let sent = 0;
    let at = 0;
    let start;
    for (;;) {
      const elapsed = now() - started;
      if (start === undefined && elapsed >= warmupMs) start = begin();
      if (elapsed >= warmupMs + ms) break;
      const due = Math.floor((elapsed / 1000) * perSecond);
      for (; sent < due; sent++) {
        miners[at]?.send(1, started + (sent / perSecond) * 1000);
        at = at + 1 === miners.length ? 0 : at + 1;
      }
      // A load that spins would take a core from the server, whose threads need two at times.
      nap();
      await turn();
    }
    const result = end(start);
    await drain();
    disarm();
    return { ...result, total: { ...counters } };
  },

  /** Forgets when jobs came; `spread` tells of the next one. */
  listen() {
    disarm();
    for (const miner of miners) miner.notifiedAt = 0;
  },

  /** How long after `since` the sockets had the job. */
  async spread({ since, timeoutMs = 20_000 }) {
    const deadline = now() + timeoutMs;
    while (miners.some(({ notifiedAt }) => notifiedAt === 0) && now() < deadline) await sleep(5);
    const times = miners.map(({ notifiedAt }) => notifiedAt - since).sort((a, b) => a - b);
    if ((times[0] ?? 0) < 0) throw new Error('some sockets did not get the job');
    return { median: times[times.length >> 1], last: times.at(-1) };
  },

  async close() {
    const closing = miners;
    miners = [];
    counters.closed = 0;
    for (const { socket } of closing) socket.destroy();
    while (counters.closed < closing.length) await sleep(5);
  },
});
