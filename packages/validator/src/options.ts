import type { HashBackend } from '@headframe/hashing';
import type { Clock, Logger } from '@headframe/primitives';
import type { PendingShare, ValidatorListener } from './types.js';

/** What every validator takes. */
export interface ValidatorOptions<Share extends PendingShare> {
  readonly listener: ValidatorListener<Share>;
  /** What hashes; `auto` (the default) takes the fastest that runs here. */
  readonly backend?: 'auto' | HashBackend;
  /** Shares queued or in threads before `submit` answers false; 4096 by default. */
  readonly queue?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
}
