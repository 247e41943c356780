// A process full of miners. Its parent tells it what to do and asks for its books over the channel of fork().
import { BookkeepingMiner } from './miner.mjs';

/** @type {BookkeepingMiner[]} */
let miners = [];
/** @type {NodeJS.Timeout[]} */
const timers = [];

/** Work is spread evenly: in each tick as many miners as are due, in turns. */
const TICK_MS = 20;

/** @param {{ port: number, workers: string[], sharesPerSecond: number, dropsPerSecond: number, faults?: boolean }} options */
function start({ port, workers, sharesPerSecond, dropsPerSecond, faults }) {
  miners = workers.map((worker) => new BookkeepingMiner({ port, worker, faults }));
  let next = 0;
  let due = 0;
  let before = performance.now();
  timers.push(
    setInterval(() => {
      const now = performance.now();
      // What could not be done in time is not made up for: the machine may be busy with something else.
      due = Math.min(due + ((now - before) * sharesPerSecond) / 1000, sharesPerSecond / 10 + 1);
      before = now;
      for (; due >= 1; due--) {
        for (let tries = 0; tries < miners.length; tries++) if (miners[next++ % miners.length]?.mine()) break;
      }
    }, TICK_MS),
  );
  if (dropsPerSecond > 0) {
    const drop = () => miners[Math.floor(Math.random() * miners.length)]?.drop();
    timers.push(setInterval(drop, 1000 / dropsPerSecond));
  }
}

/** @param {string} name */
const sum = (name) => miners.reduce((total, { counts }) => total + counts[name], 0);

function state() {
  return {
    miners: miners.length,
    ready: miners.filter(({ isReady }) => isReady).length,
    pending: miners.reduce((total, { pending }) => total + pending, 0),
    accepted: miners.reduce((total, { accepted }) => total + accepted.length, 0),
    sent: sum('sent'),
    connections: sum('connections'),
    resumed: sum('resumed'),
    again: sum('again'),
    slowestMs: Math.max(0, ...miners.map(({ slowestMs }) => slowestMs)),
    rssBytes: process.memoryUsage.rss(),
  };
}

const commands = {
  start,
  state,
  /** No more shares; answers still come. */
  rest: () => {
    for (const timer of timers.splice(0)) clearInterval(timer);
    for (const miner of miners) miner.isMining = false;
  },
  /** Ends the miners and gives what they noted. */
  books: () => {
    for (const miner of miners) miner.close();
    return miners.map(({ worker, accepted, unanswered, rejected, faults, blocks }) => ({
      worker,
      accepted,
      unanswered,
      rejected,
      faults,
      blocks,
    }));
  },
};

process.on('message', ({ id, command, argument }) => {
  try {
    process.send?.({ id, result: commands[command]?.(argument) ?? null });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0, result: null });
