/** Shares queued or in threads before `submit` answers false. Bounds memory against miners that send faster than we hash. */
export const DEFAULT_QUEUE = 4096;

/** Inline: shares that are judged at once instead of at the end of the turn, 2 ms of work with SIMD. */
export const INLINE_FLUSH_AT = 512;

/** Shares per message to a thread. 256 take a thread 1 ms; longer batches would make the first share wait. */
export const BATCH_SHARES = 256;

/** A turn's shares are split over idle threads down to this size; below it a message costs more than it saves. */
export const SMALLEST_SPLIT = 8;

/** Batches on their way to and from one thread: one being hashed, one waiting, so that the thread never idles. */
export const BATCHES_PER_WORKER = 2;

/** Jobs a thread remembers. Each is sent once; about 1 KiB each. Must be above twice {@link BATCH_SHARES}. */
export const WORKER_JOBS = 1024;

/** First and longest wait before a dead thread is replaced; doubled at each death without a result between. */
export const RESTART_MIN_MS = 100;
export const RESTART_MAX_MS = 10_000;

/** A thread that holds a batch for longer is taken for dead. A batch of scrypt takes 25 ms. */
export const WORKER_TIMEOUT_MS = 15_000;

/** How often that is checked. */
export const WATCHDOG_PERIOD_MS = 5_000;

/** How long `close` waits for threads before it takes their work back. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** Auto: event-loop utilisation above which batches go to threads, and below which they come back. */
export const OFFLOAD_ABOVE = 0.75;
export const OFFLOAD_BELOW = 0.5;
/** Auto: over how long utilisation is measured. */
export const UTILISATION_WINDOW_MS = 500;
/** Auto: smaller batches stay inline. A round trip costs the main thread 22 us, as much as hashing 6 shares with SIMD. */
export const OFFLOAD_FROM_SHARES = 8;
