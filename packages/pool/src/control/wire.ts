/** A secret that came with a request. */
export interface Credentials {
  readonly secret: string;
}

/** A whole request, cut out of the stream. */
export interface WireRequest {
  readonly kind: 'request';
  /** Text of a JSON value, of which only the brackets were looked at. */
  readonly text: string;
  /** Undefined where the wire has no place for it, or none came. */
  readonly credentials: Credentials | undefined;
  /** True when the connection ends after the answer. */
  readonly isLast: boolean;
}

/** Bytes that are no request: say this, and close. */
export interface WireFailure {
  readonly kind: 'failure';
  readonly answer: string;
}

/** Only to be said; the request follows. */
export interface WireInterim {
  readonly kind: 'interim';
  readonly answer: string;
}

/** What a request came to. */
export interface WireReply {
  /** JSON in ASCII; undefined when nothing is to be answered. */
  readonly json: string | undefined;
  readonly status: 'ok' | 'unauthorized' | 'failures' | 'busy';
}

/** How requests lie in a stream. Pull: what has come waits until it is asked for. */
export interface ControlWire {
  /** Name for logs. */
  readonly name: string;
  readonly heldBytes: number;
  /** True where every request must bring its secret. */
  readonly isStateless: boolean;
  /** Takes bytes; they are copied. */
  push(chunk: Uint8Array): void;
  next(): WireRequest | WireFailure | WireInterim | undefined;
  /** The bytes of an answer, as ASCII text; empty when there are none. */
  encode(request: WireRequest, reply: WireReply): string;
}
