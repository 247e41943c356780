import type { BlockCandidate, Bus } from '@headframe/mining';
import { BoundedSet, concatBytes, toDisplayHex } from '@headframe/primitives';
import type { ShareEvaluation } from '@headframe/validator';
import type { Share } from './share.js';

/** Finds out which hashes are new blocks, and sends those to the core in the same tick. */
export class CandidateDesk<Account> {
  readonly #bus: Bus | undefined;
  readonly #seen: BoundedSet<string>;
  readonly #onCandidate: (candidate: BlockCandidate) => void;
  #count = 0;

  constructor(bus: Bus | undefined, capacity: number, onCandidate: (candidate: BlockCandidate) => void) {
    this.#bus = bus;
    this.#seen = new BoundedSet(capacity);
    this.#onCandidate = onCandidate;
  }

  /** Candidates sent since the start. */
  get count(): number {
    return this.#count;
  }

  /**
   * Sends the share if its hash was not sent before; returns the hash in display hex then. Looks at nothing but the
   * hash: stale, unauthorised, suspended, late, all of that is for the verdict.
   */
  offer(share: Share<Account>, found: ShareEvaluation, nowMs: number): string | undefined {
    const hash = found.bytes.slice(found.hashOffset, found.hashOffset + 32);
    const display = toDisplayHex(hash);
    if (!this.#seen.add(display)) return undefined;
    const { channel, channelJob } = share;
    const { record, hashable } = channelJob;
    // An unknown name mines for whoever is logged in there.
    const worker = share.worker ?? channel.workers.first;
    const candidate: BlockCandidate = {
      hash,
      header: found.bytes.slice(found.headerOffset, found.headerOffset + 80),
      coinbase: concatBytes(hashable.coinbase1, share.extranonce, hashable.coinbase2),
      baseJobId: record.baseId,
      height: record.height,
      previousHash: record.previousHash,
      account: worker?.key ?? '',
      worker: share.workerName,
      address: worker?.address ?? '',
      difficulty: channelJob.difficulty.value,
      achieved: share.achieved,
      timeMs: nowMs,
      reward: record.reward,
    };
    this.#count++;
    this.#bus?.publish('candidate', candidate);
    this.#onCandidate(candidate);
    return display;
  }
}
