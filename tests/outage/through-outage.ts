import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { findBlock } from '../soak/find-block.js';
import { type Reckoning, reckon } from '../soak/reckoning.js';
import { startLoad } from '../soak/share-load.js';
import { makeStage } from '../soak/stage.js';
import { freePort } from '../support/free-port.js';
import { type PoolProcess, startPool } from '../support/pool-process.js';
import { waitFor } from '../support/wait.js';

const MINERS = 20;
const SHARES_PER_SECOND = 800;
/** Shares that the pool holds before it stops to read. */
const HELD_SHARES = 300;
/** The pool may grow by so much while its storage is away; the shares that it holds are a part of it. */
const MAX_GROWTH_BYTES = 100 * 1024 * 1024;

export interface Outage {
  readonly storageUrl: string;
  /** Holds the configuration and the data of the pool. */
  readonly folder: string;
  begin(): void | Promise<void>;
  end(): void | Promise<void>;
  /** What `/readyz` and the API say is wrong. */
  readonly says: RegExp;
}

interface PoolInfo {
  readonly storage: { readonly state: string; readonly reason: string | null };
}

class Http {
  readonly #base: string;
  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}`;
  }
  async ready(): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.#base}/readyz`);
    return { status: response.status, text: await response.text() };
  }
  async info(): Promise<PoolInfo> {
    const response = await fetch(`${this.#base}/api/v1/pool`);
    expect(response.status, 'the API answers without its storage too').toBe(200);
    return (await response.json()) as PoolInfo;
  }
}

function residentBytes({ process }: PoolProcess): number {
  const status = readFileSync(`/proc/${process.child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/**
 * A pool under load loses its storage and gets it back: shares are held up to a bound, then sockets wait; a block
 * found meanwhile reaches the node; health page and API say what is wrong; afterwards every share is answered, and
 * stored once.
 */
export async function throughOutage(outage: Outage): Promise<Reckoning> {
  const apiPort = await freePort();
  const stage = await makeStage(outage.storageUrl, {
    limits: { uncommittedShares: HELD_SHARES },
    api: { port: apiPort, rateLimit: 100_000 },
  });
  const http = new Http(apiPort);
  const [finder = '', ...workers] = await stage.workers(MINERS + 1);
  let load: Awaited<ReturnType<typeof startLoad>> | undefined;
  let pool: PoolProcess | undefined;
  try {
    pool = await startPool({ config: stage.config, folder: outage.folder });
    load = await startLoad({ port: stage.port, workers, sharesPerSecond: SHARES_PER_SECOND, faults: false });
    const { state } = load;
    await waitFor('shares', async () => (await state()).accepted > 500);
    await waitFor('readiness', async () => (await http.ready()).status === 200);
    const before = residentBytes(pool);

    const begun = performance.now();
    await outage.begin();
    // More than the pool holds is under way: the rest waits on sockets that are not read.
    await waitFor('shares to pile up', async () => (await state()).pending > 3 * HELD_SHARES);
    await waitFor('the pool to say so', async () => (await http.ready()).status === 503);
    const { text } = await http.ready();
    expect(text).toMatch(/^storage: /m);
    expect(text).toMatch(outage.says);
    console.log(`${text.trim()} (after ${Math.round(performance.now() - begun)} ms)`);
    expect((await http.info()).storage).toMatchObject({ state: 'failing', reason: expect.stringMatching(outage.says) });
    const { accepted } = await state();
    // The block has to be in the chain although nothing can be stored.
    const { reply, book } = await findBlock(stage, finder);
    expect((await state()).accepted, 'a share is not accepted before it is stored').toBe(accepted);
    expect(residentBytes(pool) - before).toBeLessThan(MAX_GROWTH_BYTES);

    await outage.end();
    const ended = performance.now();
    expect(await reply, 'the answer to the block').toBe(true);
    await waitFor('readiness to come back', async () => (await http.ready()).status === 200);
    console.log(`works again ${Math.round(performance.now() - ended)} ms after it came back`);
    await waitFor('shares to go on', async () => (await state()).accepted > accepted + 3 * HELD_SHARES);
    await load.rest();
    await waitFor('the last answers', async () => (await state()).pending === 0);
    const books = await load.books();
    expect(await pool.stop()).toMatchObject({ code: 0 });
    const result = await reckon(outage.storageUrl, [...books, book]);
    expect(result.unanswered).toBe(0);
    expect(result.stored).toBe(result.told);
    return result;
  } finally {
    load?.close();
    await pool?.process.stop(0);
    await stage.close();
  }
}
