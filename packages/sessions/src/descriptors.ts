import { readFileSync } from 'node:fs';

/** Part of the descriptors that connections may take: the rest is for nodes, databases, files and logs. */
const CONNECTIONS_PART = 0.9;

/**
 * How many connections the open-file limit of this process leaves room for; Infinity where the system does not say.
 * (Node raises the soft limit to the hard one when it starts.)
 */
export function connectionsByDescriptors(limitsFile = '/proc/self/limits'): number {
  let text: string;
  try {
    text = readFileSync(limitsFile, 'latin1');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Math.floor(Number(soft) * CONNECTIONS_PART);
}
