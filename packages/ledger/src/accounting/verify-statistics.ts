import { SUBJECT_KIND } from '../core/fold.js';
import { sumWork, workIn } from '../core/tally.js';
import { numberIn, textIn } from '../sql/row.js';
import type { SqlRow, SqlSession } from '../sql/types.js';
import { workToDecimal } from '../work.js';
import type { BookProblem } from './types.js';

interface Sum {
  readonly accepted: number;
  readonly work: bigint;
}

const SUM = `CAST(coalesce(sum(accepted), 0) AS BIGINT) AS accepted, ${sumWork()}`;

const sumIn = (row: SqlRow | undefined): Sum => ({ accepted: numberIn(row, 'accepted'), work: workIn(row) });

/**
 * Totals since the beginning, which are kept in three places: of the pool, of its accounts, and of its rounds. While a
 * fold is under way some are ahead of others; then nothing can be said.
 */
export async function verifyStatistics(session: SqlSession): Promise<BookProblem[]> {
  const [state] = await session.query('SELECT min(position) AS low, max(position) AS high FROM fold_state');
  if (numberIn(state, 'low') !== numberIn(state, 'high')) return [];
  const problems: BookProblem[] = [];
  const compare = (what: string, sum: Sum, than: string, expected: Sum): void => {
    if (sum.accepted === expected.accepted && sum.work === expected.work) return;
    const tell = ({ accepted, work }: Sum): string => `${accepted} shares of work ${workToDecimal(work)}`;
    problems.push({ part: 'shares', message: `${what} have ${tell(sum)}, ${than} ${tell(expected)}` });
  };
  const subjects = async (kind: number): Promise<Sum> =>
    sumIn((await session.query(`SELECT ${SUM} FROM subjects WHERE kind = $1`, [kind]))[0]);
  const pool = await subjects(SUBJECT_KIND.pool);
  compare('all accounts', await subjects(SUBJECT_KIND.account), 'the pool', pool);
  compare('all rounds', sumIn((await session.query(`SELECT ${SUM} FROM rounds`))[0]), 'the pool', pool);
  const rounds = await session.query(
    `SELECT id, coalesce(max(block_hash), 'under way') AS name, ${SUM} FROM rounds GROUP BY id ORDER BY id`,
  );
  const parts = await session.query(`SELECT round, ${SUM} FROM round_work GROUP BY round`);
  const byRound = new Map(parts.map((row) => [numberIn(row, 'round'), sumIn(row)]));
  for (const row of rounds) {
    const sum = byRound.get(numberIn(row, 'id')) ?? { accepted: 0, work: 0n };
    compare(`the accounts of round ${textIn(row, 'name')}`, sum, 'the round', sumIn(row));
  }
  return problems;
}
