const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * A Ctrl-C reaches every process of the terminal, and `npm start` passes it on to its child: the same signal twice.
 * Nobody presses twice within this time and means it.
 */
const SAME_SIGNAL_MS = 500;

export interface StopSignal {
  /** Resolves with the first signal's name. */
  readonly first: Promise<string>;
  onSecond(callback: () => void): void;
}

/**
 * Turns SIGINT, SIGTERM and the hang-up of a terminal into a promise, so that a command can end in order. With
 * `hangUp: false` SIGHUP is left to {@link reloadOnHangUp}.
 */
export function stopSignal(options: { readonly hangUp?: boolean } = {}): StopSignal {
  let second = () => {};
  let firstMs: number | undefined;
  let resolveFirst: (signal: string) => void = () => {};
  const first = new Promise<string>((resolve) => {
    resolveFirst = resolve;
  });
  const signals = options.hangUp === false ? SIGNALS : ([...SIGNALS, 'SIGHUP'] as const);
  for (const signal of signals) {
    process.on(signal, () => {
      if (firstMs === undefined) {
        firstMs = performance.now();
        resolveFirst(signal);
      } else if (performance.now() - firstMs > SAME_SIGNAL_MS) second();
    });
  }
  return {
    first,
    onSecond: (callback) => {
      second = callback;
    },
  };
}
