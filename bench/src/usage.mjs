// What a process has used so far; a benchmark takes the difference of two.
import { readFileSync } from 'node:fs';

/** CPU in microseconds (all threads), resident bytes. `collect`: after a full collection, where `--expose-gc` is given. */
export function usage({ collect = false } = {}) {
  if (collect) for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  return { cpu: user + system, user, system, rss: process.memoryUsage.rss() };
}

/** CPU of the main thread in microseconds, of a Linux system that counts it; else NaN. */
export function mainThreadCpu() {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1000;
  } catch {
    return Number.NaN;
  }
}

/** Milliseconds since the machine started: comparable between processes. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}
