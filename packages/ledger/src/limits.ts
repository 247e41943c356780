/** Commits that may wait for the database at once; from there on they are refused with `queue_full`. An edge has one. */
export const MAX_PENDING_COMMITS = 1024;
/** Calls of any other kind that may wait for one thread. A page makes a handful. */
export const MAX_PENDING_CALLS = 4096;
/** Batches that one transaction takes: more would make the first of them wait for long. */
export const GROUP_BATCHES = 64;
/**
 * How long SQLite waits for a lock that another process holds, until the commit fails and is tried again. A commit may
 * wait behind a fold that waits: together less than the 5 s after which a pool says that its storage does not answer,
 * so that it can say that it is locked.
 */
export const BUSY_TIMEOUT_MS = 2_000;
/** How long PostgreSQL may take to accept a connection, and to run one statement. */
export const CONNECT_TIMEOUT_MS = 5_000;
export const STATEMENT_TIMEOUT_MS = 30_000;
/** Connections to PostgreSQL per thread: one commits, one folds, the rest answer questions. */
export const POSTGRES_CONNECTIONS = 4;
/** Prepared statements kept by the SQLite driver. Far more than there are; bulk inserts differ by their row count. */
export const STATEMENT_CACHE = 256;
/** Rows in one INSERT. Times twelve columns it stays under SQLite's 32,766 parameters. */
export const INSERT_ROWS = 500;
/** A fold stores its sums after as many shares: bounds the memory. */
export const FOLD_SHARES = 50_000;
/** Subjects in one transaction of a fold, about: commits wait for it, some 40 us a subject. */
export const FOLD_SUBJECTS = 120;
/** Batches read at once while folding. */
export const FOLD_READ_BATCHES = 32;
/** Rows of subjects whose old rows go in one transaction of a prune. */
export const PRUNE_SUBJECTS = 50;
/** Entries of a booking that one transaction takes; commits wait for it. Larger bookings take several. */
export const BOOKING_CHUNK = 200;
/** Parts of one payment. About as many outputs as a transaction has that nodes relay (100,000 vbytes). */
export const MAX_PAYMENT_PARTS = 3_000;
/** Times that a transaction is tried that PostgreSQL gave up in favour of another one. */
export const CONTENDED_TRIES = 5;
/** Accounts, bookings or payments that are verified in one look: other questions wait for it. */
export const VERIFY_ROWS = 200;
/** Looks in a row that found a large booking under way, until verify gives up. */
export const VERIFY_BUSY_TRIES = 100;
/** Contradictions that verify lists; more are not told apart. */
export const MAX_PROBLEMS = 1_000;
/** Longest account or worker name in the statistics, in characters; the share log keeps names whole. */
export const MAX_NAME = 256;
/** Items on a page at most. */
export const MAX_PAGE = 500;
/** Points of a series at most: a day of minutes. */
export const MAX_POINTS = 1_500;
/** Waits before a dead database thread is started anew. */
export const RESTART_MIN_MS = 50;
export const RESTART_MAX_MS = 5_000;
/** A batch younger than this stays, however short the retention: a retry of it must be recognised. */
export const MIN_SHARE_RETENTION_MS = 3_600_000;
