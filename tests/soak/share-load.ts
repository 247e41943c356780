import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from '../support/wait.js';

const LOAD = fileURLToPath(new URL('./load.mjs', import.meta.url));
const ANSWER_MS = 30_000;

export interface LoadOptions {
  readonly port: number;
  /** One miner each; the names must differ. */
  readonly workers: readonly string[];
  /** Of all miners together. */
  readonly sharesPerSecond: number;
  /** Connections that are broken off, of all miners together. Default 0. */
  readonly dropsPerSecond?: number;
  /** Whether one share in fifty is faulty on purpose. Default true. */
  readonly faults?: boolean;
}

export interface LoadState {
  readonly miners: number;
  readonly ready: number;
  readonly pending: number;
  readonly accepted: number;
  readonly sent: number;
  readonly connections: number;
  readonly resumed: number;
  readonly again: number;
  readonly slowestMs: number;
  readonly rssBytes: number;
}

/** What one miner noted. Shares are named by the difficulty that their hash reached. */
export interface MinerBook {
  readonly worker: string;
  /** Answered true. */
  readonly accepted: readonly string[];
  /** Sent, and never answered. */
  readonly unanswered: readonly string[];
  /** Errors by code. */
  readonly rejected: Readonly<Record<string, number>>;
  readonly faults: { readonly right: number; readonly wrong: number };
  /** Display hashes of shares that are blocks. */
  readonly blocks: readonly string[];
}

/** Miners in a process of their own. */
export interface ShareLoad {
  state(): Promise<LoadState>;
  /** Sends no more shares. */
  rest(): Promise<void>;
  /** Ends the miners and tells what they noted. */
  books(): Promise<readonly MinerBook[]>;
  /** Ends the process. Idempotent. */
  close(): void;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Starts the process and its miners. They connect by themselves, now and whenever they are thrown out. */
export async function startLoad(options: LoadOptions): Promise<ShareLoad> {
  const child: ChildProcess = fork(LOAD, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map<number, (reply: Reply) => void>();
  let nextId = 0;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    for (const [id, settle] of waiting) settle({ id, error: 'the load process ended' });
    waiting.clear();
  };
  child.once('exit', end);
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  const answer = (id: number): Promise<Reply> => {
    if (isOver) return Promise.resolve({ id, error: 'the load process ended' });
    return new Promise<Reply>((resolve) => {
      waiting.set(id, resolve);
    });
  };
  const call = async <T>(command: string, argument?: unknown): Promise<T> => {
    const id = ++nextId;
    const reply = answer(id);
    if (!isOver) child.send({ id, command, argument });
    const { result, error } = await within(`the load process to ${command}`, reply, ANSWER_MS);
    if (error !== undefined) throw new Error(error);
    return result as T;
  };
  await within('the load process to start', answer(0), ANSWER_MS);
  await call('start', { dropsPerSecond: 0, ...options });
  return {
    state: () => call('state'),
    rest: () => call('rest'),
    books: () => call('books'),
    close: () => child.kill('SIGKILL'),
  };
}
