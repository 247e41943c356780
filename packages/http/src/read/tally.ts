import { type Hashrates, type SeriesPoint, type ShareTally, workToNumber } from '@headframe/ledger';
import type { HashratesJson, TallyJson } from '../schemas/common.js';

export const NO_SHARES: TallyJson = { accepted: 0, stale: 0, duplicate: 0, low: 0, invalid: 0, work: 0, best: 0 };
export const NO_HASHRATE: HashratesJson = { tenMinutes: 0, hour: 0, day: 0 };

export function tallyOf({ accepted, stale, duplicate, low, invalid, work, best }: ShareTally): TallyJson {
  return { accepted, stale, duplicate, low, invalid, work: workToNumber(work), best };
}

export function hashratesOf({ tenMinutes, hour, day }: Hashrates): HashratesJson {
  return { tenMinutes, hour, day };
}

export function pointOf(point: SeriesPoint): TallyJson & { startMs: number; hashrate: number } {
  return { ...tallyOf(point), startMs: point.startMs, hashrate: point.hashrate };
}
