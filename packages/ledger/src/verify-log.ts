import { BoundedMap } from '@headframe/primitives';
import type { BookProblem } from './accounting/types.js';
import type { CoveredStatistics, CoveredSum } from './core/covered-statistics.js';
import { nameForQuery } from './core/fold-groups.js';
import { MAX_PROBLEMS } from './limits.js';
import type { ThreadClient } from './thread/client.js';
import { workOfDifficulty, workToDecimal } from './work.js';

const HOUR = 3600;
/** Folds or prunes that come between are begun anew after, so often. */
const TRIES = 5;

/** Adds up the share log again and compares with the hours of the statistics that it still holds whole. */
export async function verifyShareLog(
  thread: ThreadClient,
  onProgress: (part: number) => void,
): Promise<readonly BookProblem[]> {
  for (let tries = 0; tries < TRIES; tries++) {
    await thread.call('fold', []);
    const statistics = await thread.call('coveredStatistics', []);
    const sums = statistics === undefined ? undefined : await sumLog(thread, statistics, onProgress);
    if (statistics === undefined || sums === undefined) continue;
    const problems: BookProblem[] = [];
    compare(statistics.pool, sums.pool, (hour) => `the hour of ${new Date(hour * 1000).toISOString()}`, problems);
    compare(statistics.accounts, sums.accounts, (account) => `${account} since ${statistics.from}`, problems);
    return problems;
  }
  // An empty log, or one that others change faster than it can be read: nothing to compare with.
  return [];
}

interface LogSums {
  readonly pool: Map<number, CoveredSum>;
  readonly accounts: Map<string, CoveredSum>;
}

/** Undefined when its beginning was pruned meanwhile. */
async function sumLog(
  thread: ThreadClient,
  { from, firstBatch, lastBatch }: CoveredStatistics,
  onProgress: (part: number) => void,
): Promise<LogSums | undefined> {
  const sums: LogSums = { pool: new Map(), accounts: new Map() };
  const works = new BoundedMap<number, bigint>(4096);
  for (let after = firstBatch - 1; after < lastBatch; ) {
    const page = await thread.call('shareLog', [after]);
    if (after < firstBatch && page[0]?.id !== firstBatch) return undefined;
    for (const { id, shares } of page) {
      if (id > lastBatch) break;
      for (const { result, timeMs, difficulty, account } of shares) {
        const hour = Math.floor(timeMs / 1000 / HOUR) * HOUR;
        if (result !== 'accepted' || hour < from) continue;
        let work = works.get(difficulty);
        if (work === undefined) {
          work = workOfDifficulty(difficulty);
          works.set(difficulty, work);
        }
        add(sums.pool, hour, work);
        add(sums.accounts, nameForQuery(account), work);
      }
    }
    after = page.at(-1)?.id ?? lastBatch;
    onProgress(Math.min(1, (after - firstBatch + 1) / (lastBatch - firstBatch + 1)));
  }
  return sums;
}

function add<Key>(sums: Map<Key, CoveredSum>, key: Key, work: bigint): void {
  const sum = sums.get(key);
  if (sum === undefined) sums.set(key, { accepted: 1, work });
  else {
    sum.accepted++;
    sum.work += work;
  }
}

const NOTHING: CoveredSum = { accepted: 0, work: 0n };

function compare<Key>(
  statistics: ReadonlyMap<Key, CoveredSum>,
  log: ReadonlyMap<Key, CoveredSum>,
  name: (key: Key) => string,
  problems: BookProblem[],
): void {
  const tell = ({ accepted, work }: CoveredSum): string => `${accepted} shares of work ${workToDecimal(work)}`;
  for (const key of new Set([...statistics.keys(), ...log.keys()])) {
    const [said, counted] = [statistics.get(key) ?? NOTHING, log.get(key) ?? NOTHING];
    if (said.accepted === counted.accepted && said.work === counted.work) continue;
    if (problems.length >= MAX_PROBLEMS) return;
    const message = `${name(key)}: the statistics have ${tell(said)}, the share log ${tell(counted)}`;
    problems.push({ part: 'shares', message });
  }
}
