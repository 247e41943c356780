import type { PoolStatus } from './options.js';

/** What is going on, as plain JSON: for the operator's calls. */
export function poolSummary(status: PoolStatus, isPaused: boolean): Readonly<Record<string, unknown>> {
  const { coin, listening, node, job, sessions, server, storage } = status;
  const { accepted, work, rejected, pending, uncommitted } = server.shares;
  return {
    coin: coin.name,
    network: coin.network,
    isPaused,
    listening,
    node,
    job: job === undefined ? null : { id: job.id, height: job.height, networkDifficulty: job.networkDifficulty },
    sessions,
    workers: server.workers,
    shares: { accepted, work, rejected, pending, uncommitted },
    blockCandidates: server.candidates,
    bans: server.sessions.bans,
    isBusy: server.sessions.busy,
    loopDelayMs: server.sessions.loopDelayMs,
    closed: server.sessions.closed,
    storage: { kind: storage.kind, isOk: storage.isOk, reason: storage.reason ?? null },
  };
}
