const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopSignal {
  /** Resolves with the first signal's name. */
  readonly first: Promise<string>;
  onSecond(callback: () => void): void;
}

/** Turns SIGINT and SIGTERM into a promise, so that a command can end in order. */
export function stopSignal(): StopSignal {
  let second = () => {};
  let seen = false;
  let resolveFirst: (signal: string) => void = () => {};
  const first = new Promise<string>((resolve) => {
    resolveFirst = resolve;
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (seen) second();
      else {
        seen = true;
        resolveFirst(signal);
      }
    });
  }
  return {
    first,
    onSecond: (callback) => {
      second = callback;
    },
  };
}
