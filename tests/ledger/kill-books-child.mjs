// Books, moves bookings and takes payments through their steps as fast as the ledger does it, and prints what was
// acknowledged, one JSON array a line. Arguments: URL of the database, prefix of the keys. Runs until killed.
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openLedger } from '@headframe/ledger';

const [url, prefix] = process.argv.slice(2);
const ledger = await openLedger({ url, foldIntervalMs: 60_000 });
const { accounting } = ledger;
const say = (...what) => writeSync(1, `${JSON.stringify(what)}\n`);
const timeMs = 1_700_000_000_000;

/** Small bookings, and large ones that go into the balances in several steps. */
const entriesOf = (n) =>
  Array.from({ length: n % 3 === 0 ? 2_100 : 12 }, (_, i) => ({ account: `account${i}`, kind: 'reward', amount: 10n }));

async function book() {
  let at = await accounting.cursor('shares');
  for (let n = 1; ; n++) {
    const key = `${prefix}block${n}`;
    await accounting.book({
      key,
      state: 'immature',
      timeMs,
      entries: entriesOf(n),
      cursor: { name: 'shares', from: at, to: at + 1 },
      carries: [{ account: 'account1', kind: 'reward', carry: { numerator: BigInt(at + 1), denominator: 1_000_000n } }],
    });
    at++;
    say('booked', key, at);
    await accounting.setBookingState(key, n % 5 === 0 ? 'reversed' : 'final', timeMs);
    say('moved', key, n % 5 === 0 ? 'reversed' : 'final');
  }
}

async function pay() {
  for (let n = 1; ; n++) {
    const id = `${prefix}payment${n}`;
    const parts = Array.from({ length: 8 }, (_, i) => ({ account: `account${i}`, address: 'a', amount: 1n }));
    const isPlanned = await accounting.planPayment({ id, parts, isApproved: true, timeMs }).catch((error) => {
      if (error.code !== 'conflict') throw error;
      return false;
    });
    if (!isPlanned) continue;
    say('payment', id, 'approved');
    const ways = [['cancelled'], ['signed', 'sent', 'confirmed'], ['signed', 'failed'], ['signed', 'sent']];
    let from = 'approved';
    for (const to of ways[n % ways.length]) {
      // A transaction is that of one payment, in all lives of this program.
      const txid = createHash('sha256').update(id).digest('hex');
      const step = { to, txid, transaction: '00', fee: 1n, timeMs };
      if (!(await accounting.stepPayment(id, [from], step))) throw new Error(`${id} does not go to ${to}`);
      say('payment', id, to);
      from = to;
    }
  }
}

await Promise.all([book(), pay()]);
