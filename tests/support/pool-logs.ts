import type { LogLine } from './pool-process.js';

// What the pool writes about its blocks, in one place: the log is what an operator sees of its events.

/** A block was found and sent to the nodes. */
export function saysCandidate(hash: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'block candidate' && line.hash === hash;
}

/** A block is in a node's active chain. */
export function saysBlock(hash: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'block confirmed' && line.hash === hash;
}

/** A block is in no node's active chain (any more). */
export function saysOrphaned(hash: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'block orphaned' && line.hash === hash;
}
