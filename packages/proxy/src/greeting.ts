import type { StratumClient } from '@headframe/client';
import { bytesToHex } from '@headframe/primitives';
import { decodeExtranonce, decodeSubscribeResult } from '@headframe/stratum-v1';

/** Names that one miner may log in with and that are logged in again elsewhere. */
const MAX_LOGINS = 1024;

/** What a miner was given to roll. */
export interface GivenExtranonce {
  readonly extranonce1: string;
  readonly extranonce2Size: number;
}

/** What a miner said to introduce itself, to be said again to another upstream. */
export class Greeting {
  #configure: unknown = undefined;
  #subscribe: unknown = undefined;
  readonly #logins = new Map<string, unknown>();
  /** The miner takes `mining.set_extranonce`. */
  takesExtranonce = false;
  extranonce: GivenExtranonce | undefined = undefined;
  versionMask: string | undefined = undefined;

  /** The name it logged in with first; empty before. */
  get username(): string {
    return this.#logins.keys().next().value ?? '';
  }
  get subscribed(): boolean {
    return this.#subscribe !== undefined;
  }

  hasLogin(username: string): boolean {
    return this.#logins.has(username);
  }

  /** An upstream agreed to something of the miner's. */
  heard(method: string, params: unknown, result: unknown): void {
    if (method === 'mining.configure') {
      this.#configure = params;
      this.versionMask = maskOf(result);
    } else if (method === 'mining.subscribe') {
      this.#subscribe = params;
      this.extranonce = extranonceOf(result);
    } else if (method === 'mining.extranonce.subscribe') this.takesExtranonce = true;
    else if (method === 'mining.authorize' && result === true && Array.isArray(params)) {
      const [username]: readonly unknown[] = params;
      if (typeof username === 'string' && this.#logins.size < MAX_LOGINS) this.#logins.set(username, params);
    }
  }

  /** The upstream gave another extranonce, or said so itself. */
  renamed(params: unknown): void {
    const [extranonce1, size]: readonly unknown[] = Array.isArray(params) ? params : [];
    this.extranonce = readExtranonce(extranonce1, size) ?? this.extranonce;
  }

  /**
   * Says everything again to another upstream; what that answered, to be compared with what the miner has.
   * @throws StratumError when a name is refused, PoolError without an answer
   */
  async repeat(client: StratumClient): Promise<Pick<Greeting, 'extranonce' | 'versionMask'>> {
    let versionMask: string | undefined;
    // One whose pool does not know it: the miner goes on without.
    if (this.#configure !== undefined) {
      versionMask = maskOf(await client.request('mining.configure', this.#configure).catch(() => undefined));
    }
    let extranonce: GivenExtranonce | undefined;
    if (this.#subscribe !== undefined) {
      // Without the session id: that was of another pool.
      const [agent]: readonly unknown[] = Array.isArray(this.#subscribe) ? this.#subscribe : [];
      extranonce = extranonceOf(await client.request('mining.subscribe', agent === undefined ? [] : [agent]));
    }
    if (this.takesExtranonce) client.request('mining.extranonce.subscribe', []).catch(() => {});
    await Promise.all([...this.#logins.values()].map((params) => client.request('mining.authorize', params)));
    return { extranonce, versionMask };
  }
}

function readExtranonce(extranonce1: unknown, size: unknown): GivenExtranonce | undefined {
  try {
    const read = decodeExtranonce(extranonce1, size);
    return { extranonce1: bytesToHex(read.extranonce1), extranonce2Size: read.extranonce2Size };
  } catch {
    return undefined;
  }
}

/** Undefined for an answer of another protocol: then there is nothing that could be kept or told. */
function extranonceOf(result: unknown): GivenExtranonce | undefined {
  try {
    const { extranonce1, extranonce2Size } = decodeSubscribeResult(result);
    return { extranonce1: bytesToHex(extranonce1), extranonce2Size };
  } catch {
    return undefined;
  }
}

function maskOf(result: unknown): string | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  const answer: { 'version-rolling'?: unknown; 'version-rolling.mask'?: unknown } = result;
  const mask = answer['version-rolling.mask'];
  return answer['version-rolling'] === true && typeof mask === 'string' && /^[0-9a-fA-F]{1,8}$/.test(mask)
    ? mask
    : undefined;
}
