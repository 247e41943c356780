import { readFile } from 'node:fs/promises';
import { errorMessage, PoolError } from '@headframe/primitives';

/** How to authenticate to a node: basic auth, the node's cookie file, or nothing. */
export interface RpcCredentials {
  readonly user?: string;
  readonly password?: string;
  /** Path of the `.cookie` file a node writes at every start. Used when no password is given. */
  readonly cookieFile?: string;
}

/** Makes the Authorization header. The secret stays in here: it is never logged and never part of an error. */
export class RpcAuth {
  readonly #cookieFile: string | undefined;
  #header: string | undefined;

  constructor(credentials: RpcCredentials) {
    if (credentials.user !== undefined || credentials.password !== undefined) {
      this.#header = basic(`${credentials.user ?? ''}:${credentials.password ?? ''}`);
      this.#cookieFile = undefined;
    } else {
      this.#cookieFile = credentials.cookieFile;
    }
  }

  /** True when the header is there without waiting: a fixed password, a cookie read before, or no auth at all. */
  get ready(): boolean {
    return this.#header !== undefined || this.#cookieFile === undefined;
  }

  /** The header of the moment; undefined without authentication. */
  get header(): string | undefined {
    return this.#header;
  }

  /**
   * Reads the cookie file (again). True when the header is another one now, so that a retry makes sense.
   * @throws PoolError `rpc_unavailable` when the file cannot be read: the node has not started yet.
   */
  async reload(): Promise<boolean> {
    if (this.#cookieFile === undefined) return false;
    let cookie: string;
    try {
      cookie = (await readFile(this.#cookieFile, 'utf8')).trim();
    } catch (error) {
      throw new PoolError('rpc_unavailable', `cannot read the cookie file: ${errorMessage(error)}`);
    }
    const header = basic(cookie);
    const changed = header !== this.#header;
    this.#header = header;
    return changed;
  }
}

function basic(userAndPassword: string): string {
  return `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`;
}
