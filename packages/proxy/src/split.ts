import { PoolError } from '@headframe/primitives';

/** How the extranonce2 of an upstream is divided. In this order, most significant first; the sum is the upstream's size. */
export interface ExtranonceSplit {
  /** Zero bytes that nobody needs: where the upstream leaves more room than we use. */
  readonly padding: number;
  /** Bytes that tell derived jobs apart, 0 to 4. */
  readonly stamp: number;
  /** Bytes that tell miners apart: their extranonce1. */
  readonly extranonce1Size: number;
  /** Bytes that miners roll. */
  readonly extranonce2Size: number;
}

/** What the sizes should be, if that is possible. */
export interface SplitWish {
  /** From the configuration: then nothing else will do. */
  readonly extranonce2Size?: number | undefined;
  /** Sizes that miners have now: kept where they fit, so that nobody has to be told. */
  readonly current?: Pick<ExtranonceSplit, 'extranonce1Size' | 'extranonce2Size'> | undefined;
}

/** Firmware and rental services work with 4 to 8; 2 are enough with version rolling. */
const LEAST = 2;
const USUAL = 4;
/** 32,768 miners on one connection, as half of the prefixes stay free. */
const PREFIX = 2;
const STAMP_MOST = 4;

function complete(room: number, extranonce1Size: number, extranonce2Size: number): ExtranonceSplit {
  const left = room - extranonce1Size - extranonce2Size;
  const stamp = Math.min(STAMP_MOST, left);
  return { padding: left - stamp, stamp, extranonce1Size, extranonce2Size };
}

/** Sizes that nearly every upstream leaves room for: what miners get that come before the first job. */
export function usualSizes(extranonce2Size = USUAL): Pick<ExtranonceSplit, 'extranonce1Size' | 'extranonce2Size'> {
  return { extranonce1Size: PREFIX, extranonce2Size };
}

/**
 * Divides `room` bytes of an upstream's extranonce2 between derived jobs, miners, and what a miner rolls.
 * @throws PoolError `not_supported` when there is no room, with the sizes needed
 *
 * @example
 * splitExtranonce(8); // { padding: 0, stamp: 2, extranonce1Size: 2, extranonce2Size: 4 }
 */
export function splitExtranonce(room: number, wish: SplitWish = {}): ExtranonceSplit {
  const { current, extranonce2Size: fixed } = wish;
  if (current !== undefined && current.extranonce1Size + current.extranonce2Size <= room) {
    return complete(room, current.extranonce1Size, current.extranonce2Size);
  }
  const least = fixed ?? LEAST;
  if (room < least + 1) {
    throw new PoolError(
      'not_supported',
      `the upstream leaves ${room} bytes of extranonce2; a miner needs ${least} and its number at least 1. ` +
        'Use `mode: one-to-one`, or a smaller extranonce2Size',
    );
  }
  const size = fixed ?? Math.max(Math.min(USUAL, room - PREFIX), LEAST);
  return complete(room, Math.min(PREFIX, room - size), size);
}
