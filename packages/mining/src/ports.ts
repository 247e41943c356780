import type { HistogramSnapshot, MaybePromise, RejectCode } from '@headframe/primitives';
import type { BlockTemplate, JobRecord } from './types.js';

/** What can make us take a template. */
export type TemplateTrigger = 'start' | 'zmq' | 'longpoll' | 'poll' | 'refresh';

/** How long a node takes for its templates. */
export interface NodeTemplateStats {
  readonly node: string;
  /** Seconds of calls of getblocktemplate, long polls left out; calls that failed count too. */
  readonly seconds: HistogramSnapshot;
}

/** Counters of a source of templates, for metrics. */
export interface TemplateSourceStats {
  readonly templates: number;
  /** Templates taken into use, by what brought them. */
  readonly triggers: Readonly<Partial<Record<TemplateTrigger, number>>>;
  readonly blockChanges: number;
  readonly failures: number;
  /** Templates of a lower height that were held back. */
  readonly regressions: number;
  readonly zmqMissed: number;
  readonly lastLatencyMs: number | undefined;
  /** Seconds from the moment a new block was heard of until its template was here. */
  readonly latency: HistogramSnapshot;
  /** Unix milliseconds of the last template. */
  readonly lastTemplateAtMs: number | undefined;
  readonly nodes: readonly NodeTemplateStats[];
}

/** Where templates come from: a node's getblocktemplate now, a Template Distribution server later. */
export interface TemplateSource {
  /** Begins to deliver. Resolves when the first template is there or `signal` aborts. */
  start(listener: (template: BlockTemplate) => void, signal: AbortSignal): Promise<void>;
  /** Asks for a fresh template now (notify command, admin call). */
  refresh(): void;
  close(): Promise<void>;
  /** Undefined where nothing is counted. */
  readonly stats?: TemplateSourceStats;
}

/** What became of one share, as the ledger gets it. Plain data. */
export interface ShareRecord {
  readonly timeMs: number;
  /** Key of the account that is credited. */
  readonly account: string;
  readonly worker: string;
  /** Where the account wants to be paid; empty when it names no address. */
  readonly address: string;
  readonly jobId: number;
  readonly height: number;
  readonly result: 'accepted' | RejectCode;
  /** Difficulty of the job the share names: what an accepted share is worth. The exact number on the wire. */
  readonly difficulty: number;
  /** Difficulty the hash reached (approximate; statistics only). 0 when it was never hashed. */
  readonly achieved: number;
  /** Display hex when the share is a block candidate. */
  readonly blockHash: string | undefined;
}

/** A batch is committed whole or not at all; (epoch, sequence) makes a retry recognisable. */
export interface ShareBatch {
  /** Unique per process start. */
  readonly epoch: string;
  readonly sequence: number;
  readonly shares: readonly ShareRecord[];
}

/** Where judged shares go. "Accepted" means that `commit` has resolved. */
export interface ShareSink {
  /** Resolves when the batch is durable. A batch seen before (same epoch and sequence) resolves and changes nothing. */
  commit(batch: ShareBatch): Promise<void>;
  close(): Promise<void>;
}

/** A hash at or under the network target, from an edge to the core. Plain data. */
export interface BlockCandidate {
  /** Internal order. */
  readonly hash: Uint8Array;
  readonly header: Uint8Array;
  /** Whole coinbase transaction without witness. */
  readonly coinbase: Uint8Array;
  readonly baseJobId: number;
  readonly height: number;
  readonly previousHash: Uint8Array;
  readonly account: string;
  readonly worker: string;
  /** Where the account wants to be paid; empty when it names no address. */
  readonly address: string;
  readonly difficulty: number;
  readonly achieved: number;
  readonly timeMs: number;
  /** Base units, as in the job. */
  readonly reward: bigint;
}

/** A whole block, ready for the nodes. */
export interface FoundBlock {
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
  /** The block as submitblock takes it. */
  readonly hex: string;
  /** Of the template; goes back to the node with the block (BIP 22). */
  readonly workId: string | undefined;
  readonly candidate: BlockCandidate;
}

/** Where found blocks go. Both methods return at once and never throw. */
export interface BlockSink {
  /** Journals the block and sends it to every node, in the same tick. A hash seen before is ignored. */
  submit(block: FoundBlock): void;
  /** Journals a candidate that could not be assembled (its transactions are unknown), so that nothing is lost. */
  keep(candidate: BlockCandidate, reason: string): void;
}

export type BlockStatus = 'candidate' | 'confirmed' | 'matured' | 'orphaned' | 'rejected';

/** What is known of a block we found. Plain data. */
export interface BlockOutcome {
  /** Display hex. */
  readonly hash: string;
  readonly height: number;
  readonly status: BlockStatus;
  readonly account: string;
  readonly worker: string;
  readonly reward: bigint;
  readonly confirmations: number;
  /** What each node has said to submitblock so far, by node name; `sent` while it has not answered. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly timeMs: number;
}

/** State of the nodes as the core sees it. */
export interface NodeStatus {
  readonly ready: boolean;
  readonly reason: string | undefined;
  readonly nodes: readonly { readonly name: string; readonly up: boolean; readonly detail: string }[];
}

/** One-way messages on the bus, by topic. */
export interface BusTopics {
  /** core to edges */
  job: JobRecord;
  /** edge to core; handled in the same tick by the direct bus */
  candidate: BlockCandidate;
  /** core to edges */
  block: BlockOutcome;
  /** core to edges */
  node: NodeStatus;
}

/** Calls on the bus, by name. */
export interface BusCalls {
  /** edge to core: settles when the shares are durable */
  commit: { request: ShareBatch; reply: null };
  /** edge to core: hello; the reply carries the instance byte of the extranonce prefix and the job of the moment */
  join: { request: { readonly edge: string }; reply: { readonly instance: number; readonly job: JobRecord | null } };
  /** edge to core: transactions of a job, for mining.get_transactions */
  transactions: { request: { readonly jobId: number }; reply: readonly Uint8Array[] | null };
}

/**
 * The only thing edge and core have in common (DESIGN decision 7). Direct calls in one process, IPC or a broker
 * between several. Messages are plain data; the receiver must not change them.
 */
export interface Bus {
  publish<Topic extends keyof BusTopics>(topic: Topic, message: BusTopics[Topic]): void;
  subscribe<Topic extends keyof BusTopics>(topic: Topic, listener: (message: BusTopics[Topic]) => void): () => void;
  /** @throws PoolError `closed` or `not_supported` (nobody answers) as a rejection. */
  call<Name extends keyof BusCalls>(name: Name, request: BusCalls[Name]['request']): Promise<BusCalls[Name]['reply']>;
  answer<Name extends keyof BusCalls>(
    name: Name,
    handler: (request: BusCalls[Name]['request']) => MaybePromise<BusCalls[Name]['reply']>,
  ): () => void;
  close(): Promise<void>;
}
