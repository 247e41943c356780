import { concatBytes } from '@headframe/primitives';
import type { Replaceable } from './send-queue.js';

/** The lines of a job, encoded once for all miners: with and without the order to drop older work. */
export interface NotifyLines {
  readonly clean: Uint8Array;
  readonly keep: Uint8Array;
}

export interface WorkUpdateOptions {
  readonly notify: NotifyLines;
  readonly clean: boolean;
  /** Line that sets the difficulty, if it changes with this job. */
  readonly difficulty?: Uint8Array;
  /** Line that sets the extranonce, if it changes with this job. */
  readonly extranonce?: Uint8Array;
  /** Line that sets the version mask, if it changes with this job. */
  readonly versionMask?: Uint8Array;
}

/**
 * New work for one channel: a job, and the settings that take effect with it, written in front of it. Merging keeps
 * the newest of each line, and the order to drop older work if either gave it.
 */
export class WorkUpdate implements Replaceable<WorkUpdate> {
  readonly notify: NotifyLines;
  readonly clean: boolean;
  readonly difficulty: Uint8Array | undefined;
  readonly extranonce: Uint8Array | undefined;
  readonly versionMask: Uint8Array | undefined;

  constructor(options: WorkUpdateOptions) {
    this.notify = options.notify;
    this.clean = options.clean;
    this.difficulty = options.difficulty;
    this.extranonce = options.extranonce;
    this.versionMask = options.versionMask;
  }

  merge(newer: WorkUpdate): WorkUpdate {
    const difficulty = newer.difficulty ?? this.difficulty;
    const extranonce = newer.extranonce ?? this.extranonce;
    const versionMask = newer.versionMask ?? this.versionMask;
    return new WorkUpdate({
      notify: newer.notify,
      clean: this.clean || newer.clean,
      ...(difficulty === undefined ? {} : { difficulty }),
      ...(extranonce === undefined ? {} : { extranonce }),
      ...(versionMask === undefined ? {} : { versionMask }),
    });
  }

  /** One buffer, so that it leaves in one write. Without settings it is the shared buffer of the job itself. */
  encode(): Uint8Array {
    const notify = this.clean ? this.notify.clean : this.notify.keep;
    const { extranonce, versionMask, difficulty } = this;
    if (extranonce === undefined && versionMask === undefined && difficulty === undefined) return notify;
    const settings = [extranonce, versionMask, difficulty].filter((line) => line !== undefined);
    return concatBytes(...settings, notify);
  }
}
