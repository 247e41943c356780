import { type JobRecord, networkDifficulty, networkTargetBytes } from '@headframe/mining';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { createServer, type MiningServer } from '@headframe/server';
import { createMemoryPair, type MemoryConnection } from '@headframe/transport/testing';
import { check } from '../check.js';
import type { FuzzTarget } from '../run.js';

/** Of 65,536 hashes all but one are blocks: any share that is judged reaches the block path. */
const ANY_HASH_BITS = 0x2100ffff;
const NTIME = 1_700_000_000;

function job(id: number): JobRecord {
  const networkTarget = networkTargetBytes(ANY_HASH_BITS) ?? new Uint8Array(32).fill(255);
  const coinbase1 = new Uint8Array(60).fill(7);
  coinbase1.set([0, 0, 0, id], 50);
  return {
    id,
    baseId: id,
    height: 100 + id,
    previousHash: new Uint8Array(32).fill(id),
    version: 0x20000000,
    versionMask: 0x1fffe000,
    nbits: ANY_HASH_BITS,
    networkTarget,
    networkDifficulty: networkDifficulty(networkTarget, 1),
    ntime: NTIME,
    minTime: NTIME - 600,
    merkleBranch: new Uint8Array(64).fill(9),
    variants: [{ key: '12/main', extranonceLength: 12, coinbase1, coinbase2: new Uint8Array(40), stampOffset: 50 }],
    algorithm: 'sha256d',
    clean: true,
    createdAtMs: NTIME * 1000,
    reward: 1n,
  };
}

/** What one end of a memory connection was sent. */
class Peer {
  readonly connection: MemoryConnection;
  text = '';
  closed = false;

  constructor(server: MiningServer) {
    const pair = createMemoryPair();
    this.connection = pair.client;
    server.attach(pair.server);
    pair.client.start({
      data: (chunk) => {
        this.text += Buffer.from(chunk).toString('latin1');
      },
      drain: () => {},
      closed: () => {
        this.closed = true;
      },
    });
  }

  /** The lines, each of which must be one JSON object in ASCII. */
  lines(): Record<string, unknown>[] {
    if (this.text.startsWith('HTTP/1.1 ')) return [];
    check(this.text === '' || this.text.endsWith('\n'), 'output ends with a whole line');
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        check(/^\{[\x20-\x7e]*\}$/.test(line), `a line of ASCII: ${JSON.stringify(line)}`);
        return JSON.parse(line) as Record<string, unknown>;
      });
  }
}

const HANDSHAKE =
  '{"id":1,"method":"mining.subscribe","params":["other/1"]}\n{"id":2,"method":"mining.authorize","params":["other","x"]}\n';

async function runSession(bytes: Uint8Array): Promise<string> {
  const clock = new FakeClock(NTIME * 1000);
  // The lowest legal difficulty: whatever is hashed is a share.
  const server = createServer(
    { difficulty: 2.32831e-10, bans: { allow: ['127.0.0.1'] }, limits: { overloadDelayMs: Number.POSITIVE_INFINITY } },
    { clock },
  );
  const trouble: unknown[] = [];
  const candidates = new Set<string>();
  let judged = 0;
  const judge = (event: { achieved: number; blockHash: string | undefined; code?: string }): void => {
    const isBlock = event.achieved >= job(1).networkDifficulty;
    if (event.achieved > 0) judged++;
    if (isBlock && event.code !== 'duplicate' && event.code !== 'low-difficulty' && event.blockHash === undefined) {
      trouble.push(`a block without a candidate: ${JSON.stringify({ code: event.code, achieved: event.achieved })}`);
    }
    if (event.blockHash !== undefined && !candidates.has(event.blockHash)) {
      trouble.push('a block was credited before its candidate was sent');
    }
  };
  server.on('error', ({ error, where }) => trouble.push(`${where}: ${String(error)}`));
  server.on('blockCandidate', ({ hash }) => candidates.add(Buffer.from(hash).reverse().toString('hex')));
  server.on('share', judge);
  server.on('rejected', judge);
  try {
    await server.join();
    server.publishJob(job(1));
    const other = new Peer(server);
    other.connection.write(HANDSHAKE);
    const fuzzed = new Peer(server);
    fuzzed.connection.write(bytes);
    await settle();
    await settle();
    server.publishJob(job(2));
    await settle();
    // Whatever waits for time gets it.
    await clock.advanceAsync(45_000, 15_000);
    const before = server.stats().shares.accepted;
    // Three, as one hash in 30,000 is no share even at the lowest difficulty.
    for (const nonce of [1, 2, 3]) {
      const params = ['other', '00000002', '0000000000000001', '6553f100', `0000000${nonce}`];
      other.connection.write(`${JSON.stringify({ id: 3, method: 'mining.submit', params })}\n`);
    }
    await settle();
    const answers = other.lines().filter(({ id }) => id === 3);
    const accepted = answers.filter(({ result }) => result === true).length;
    check(answers.length === 3 && accepted > 1, `the other session goes on: ${JSON.stringify(answers)}`);
    check(server.stats().shares.accepted === before + accepted, 'its shares count');
    check(!other.closed, 'and it stays connected');
    const lines = fuzzed.lines();
    fuzzed.connection.destroy();
    await settle();
    check(server.sessionCount === 1, `one session is left, not ${server.sessionCount}`);
    check(server.stats().shares.pending === 0, 'no share is left without a verdict');
    check(trouble.length === 0, trouble.join('; '));
    const codes = new Set(lines.map(({ error }) => (Array.isArray(error) ? String(error[0]) : '')));
    const methods = new Set(lines.flatMap(({ method }) => (typeof method === 'string' ? [method] : [])));
    return `${fuzzed.closed ? 'closed' : 'open'} ${[...codes].sort().join(',')} ${methods.size} ${Math.min(3, judged)}`;
  } finally {
    server.destroy();
    await settle();
  }
}

export const sessionTarget: FuzzTarget = {
  name: 'session',
  promise: 'whatever one session sends, the server lives, the other session goes on, and no block is lost',
  maxBytes: 3000,
  dictionary: [
    '{"id":1,"method":"mining.subscribe","params":[]}\n',
    '{"id":2,"method":"mining.authorize","params":["a"]}\n',
    '{"id":4,"method":"mining.submit","params":["a","00000001","0000000000000002","6553f100","00000007"]}\n',
    '{"id":5,"method":"mining.configure","params":[["version-rolling"],{"version-rolling.mask":"1fffe000"}]}\n',
    '{"id":6,"method":"mining.suggest_difficulty","params":[1]}\n',
    '{"id":7,"method":"mining.extranonce.subscribe","params":[]}\n',
    '"method":"mining.',
    '"params":',
    '"00000002"',
    ',"00a2c000"',
    '\n',
  ],
  run: runSession,
};
