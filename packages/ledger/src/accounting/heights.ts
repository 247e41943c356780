import { PoolError } from '@headframe/primitives';
import { pageLimit } from '../core/paging.js';
import { bigintIn, numberIn, textIn } from '../sql/row.js';
import type { SqlDatabase } from '../sql/types.js';
import { checkCount } from './checks.js';
import { checkMoney, moneyColumns } from './money.js';
import type { HeightRecord } from './types.js';

const TARGET = /^[0-9a-f]{64}$/;

/** Keeps the latest word of a height. */
export async function recordHeight(database: SqlDatabase, record: HeightRecord): Promise<void> {
  const { height, networkTarget, networkDifficulty, reward, subsidy, fees, timeMs } = record;
  checkCount(height, 'a height');
  checkCount(timeMs, 'the time of a height');
  if (!TARGET.test(networkTarget)) throw new PoolError('invalid_argument', 'a target is 64 lower-case hex digits');
  if (!Number.isFinite(networkDifficulty)) throw new PoolError('invalid_argument', 'a difficulty is a number');
  const amounts = [reward, subsidy, fees].map((amount) => `${checkMoney(amount, 'the worth of a height')}`);
  await database.transaction((session) =>
    session.run(
      `INSERT INTO heights (height, network_target, network_difficulty, reward, subsidy, fees, time_ms)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (height) DO UPDATE SET network_target = excluded.network_target,
       network_difficulty = excluded.network_difficulty, reward = excluded.reward, subsidy = excluded.subsidy,
       fees = excluded.fees, time_ms = excluded.time_ms WHERE heights.time_ms <= excluded.time_ms`,
      [height, networkTarget, networkDifficulty, ...amounts, timeMs],
    ),
  );
}

/** Heights in order, `from` inclusive. */
export function listHeights(database: SqlDatabase, from: number, limit: number): Promise<readonly HeightRecord[]> {
  const most = pageLimit(limit);
  return database.read(async (session) => {
    const rows = await session.query(
      `SELECT height, network_target, network_difficulty, ${moneyColumns('reward', 'subsidy', 'fees')}, time_ms
       FROM heights WHERE height >= $1 ORDER BY height LIMIT ${most}`,
      [from],
    );
    return rows.map((row) => ({
      height: numberIn(row, 'height'),
      networkTarget: textIn(row, 'network_target'),
      networkDifficulty: numberIn(row, 'network_difficulty'),
      reward: bigintIn(row, 'reward'),
      subsidy: bigintIn(row, 'subsidy'),
      fees: bigintIn(row, 'fees'),
      timeMs: numberIn(row, 'time_ms'),
    }));
  });
}
