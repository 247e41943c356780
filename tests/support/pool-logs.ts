import type { LogLine } from './pool-process.js';

// What the pool writes about its blocks, in one place: the log is what an operator sees of its events.

/** A block was found and sent to the nodes. */
export function saysCandidate(hash: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'block candidate sent to all nodes' && line.hash === hash;
}

/** A block is in a node's active chain. */
export function saysBlock(hash: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'block is in the active chain' && line.hash === hash;
}

/** A block is in no node's active chain (any more). */
export function saysOrphaned(hash: string): (line: LogLine) => boolean {
  return (line) => line.msg === 'block is orphaned' && line.hash === hash;
}

/** A node cannot be mined on for now. */
export function saysNotReady(line: LogLine): boolean {
  return line.level >= 40 && /^node is (?!ready)/.test(line.msg);
}
