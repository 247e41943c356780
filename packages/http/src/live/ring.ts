/** An event ready to be sent: serialised once, whoever reads it. */
export interface Frame {
  readonly sequence: number;
  readonly event: string;
  readonly bytes: Buffer;
  /** Only the newest of these matters; a slow reader gets no older one. */
  readonly isState: boolean;
}

/** The last events, for streams that reconnect. Ids are `<epoch>-<sequence>`; the epoch is that of this process. */
export class ReplayRing {
  readonly #epoch: string;
  readonly #capacity: number;
  readonly #frames: Frame[] = [];
  readonly #newest = new Map<string, Frame>();
  #sequence = 0;

  constructor(epoch: string, capacity: number) {
    this.#epoch = epoch;
    this.#capacity = capacity;
  }

  /** Makes the frame of an event. State is kept once, the newest of its name; the others in order, up to the capacity. */
  add(event: string, json: string, isState: boolean): Frame {
    const sequence = ++this.#sequence;
    const bytes = Buffer.from(`id: ${this.#epoch}-${sequence}\nevent: ${event}\ndata: ${json}\n\n`);
    const frame: Frame = { sequence, event, bytes, isState };
    if (isState) this.#newest.set(event, frame);
    else {
      this.#frames.push(frame);
      if (this.#frames.length > this.#capacity) this.#frames.shift();
    }
    return frame;
  }

  /**
   * What a stream gets first: every newest state, and what happened since the id it names. Nothing of the past when it
   * names none, or one of another process.
   */
  since(lastEventId: string | undefined): readonly Frame[] {
    const after = this.#sequenceOf(lastEventId);
    const missed = after === undefined ? [] : this.#frames.filter(({ sequence }) => sequence > after);
    return [...this.#newest.values(), ...missed].sort((a, b) => a.sequence - b.sequence);
  }

  #sequenceOf(id: string | undefined): number | undefined {
    const match = /^([0-9a-z]{1,16})-(\d{1,15})$/.exec(id ?? '');
    return match !== null && match[1] === this.#epoch ? Number(match[2]) : undefined;
  }
}
