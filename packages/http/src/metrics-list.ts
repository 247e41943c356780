/** One family of time series. */
export interface MetricFamily {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Names of its labels. */
  readonly labels: readonly string[];
  /** One line, for `# HELP` and the reference page. */
  readonly help: string;
}

function family(type: MetricFamily['type'], help: string, ...labels: string[]): MetricFamily {
  return { type, labels, help };
}

/**
 * Every metric there is, by name, in the order of the page. Labels have few values: codes and reasons are closed sets,
 * nodes and protocols come from the configuration, routes are patterns. Nothing that a miner sends becomes a label.
 */
export const METRICS = {
  headframe_build_info: family('gauge', 'Always 1', 'version', 'node', 'coin', 'network'),

  headframe_shares_total: family('counter', 'Shares judged, by `accepted` or the code of the refusal', 'result'),
  headframe_share_difficulty_total: family('counter', 'Sum of the difficulties of accepted shares'),
  headframe_hashes_total: family('counter', 'Hashes that accepted shares stand for; its rate is the hashrate'),
  headframe_shares_pending: family('gauge', 'Shares between submit and verdict'),
  headframe_shares_uncommitted: family('gauge', 'Shares judged and not yet in the ledger'),
  headframe_commit_failures: family('gauge', 'Failures in a row of the commit under way'),
  headframe_share_latency_seconds: family(
    'histogram',
    'From receipt to reply of accepted shares; those of one turn count from the first of them',
  ),
  headframe_commit_seconds: family('histogram', 'Until a batch of shares was durable, failed attempts included'),
  headframe_validator_queue: family('gauge', 'Shares that wait to be hashed, or are in threads'),
  headframe_validator_wait_seconds: family('histogram', 'Wait of the oldest share of a batch until it was hashed'),
  headframe_validator_batch_seconds: family('histogram', 'Hashing of a batch; in threads, from sending to answer'),
  headframe_validator_failed_total: family('counter', 'Shares that could not be judged'),
  headframe_validator_restarts_total: family('counter', 'Hashing threads that died and were replaced'),

  headframe_connections: family('gauge', 'Connections that are no session yet'),
  headframe_connections_accepted_total: family('counter', 'Connections let in'),
  headframe_connections_refused_total: family('counter', 'Connections that limits and bans refused', 'reason'),
  headframe_connections_closed_total: family('counter', 'Ends of connections that had been let in', 'reason'),
  headframe_sessions: family('gauge', 'Sessions open', 'protocol'),
  headframe_sessions_total: family('counter', 'Sessions since the start'),
  headframe_addresses: family('gauge', 'Addresses with a session'),
  headframe_bans: family('gauge', 'Bans in force'),
  headframe_channels: family('gauge', 'Channels that get work'),
  headframe_workers: family('gauge', 'Workers authorized'),
  headframe_leases: family('gauge', 'Closed sessions that can be resumed'),
  headframe_extranonces: family('gauge', 'Extranonce prefixes in use or resting'),
  headframe_overloaded: family('gauge', '1 while new connections are refused because the event loop is late'),
  headframe_paused: family('gauge', '1 while new authorizations are refused by command'),

  headframe_jobs_total: family('counter', 'Jobs made'),
  headframe_block_changes_total: family('counter', 'New chain tips that got a job'),
  headframe_templates_refused_total: family('counter', 'Templates of which no job could be made, by cause', 'cause'),
  headframe_job_age_seconds: family('gauge', 'Age of the newest job; absent before the first'),
  headframe_job_height: family('gauge', 'Height that the newest job is for'),
  headframe_network_difficulty: family('gauge', 'Network difficulty of the newest job, in units of share difficulty'),
  headframe_block_spacing_seconds: family('gauge', 'Time between two blocks that the coin aims at'),
  headframe_job_publish_seconds: family('histogram', 'From the arrival of a template until its job was with the edges'),
  headframe_broadcast_seconds: family('histogram', 'From the first to the last socket write of a job on a new block'),
  headframe_templates_total: family('counter', 'Templates taken into use, by what brought them', 'trigger'),
  headframe_template_failures_total: family('counter', 'Templates that a node failed to give or that were unusable'),
  headframe_template_regressions_total: family('counter', 'Templates of a lower height that were held back'),
  headframe_zmq_missed_total: family('counter', 'Messages of ZeroMQ that were lost'),
  headframe_block_change_seconds: family('histogram', 'From word of a new block until its template was here'),
  headframe_template_seconds: family('histogram', 'Calls of getblocktemplate, long polls left out', 'node'),
  headframe_submitblock_seconds: family('histogram', 'Calls of submitblock', 'node', 'result'),

  headframe_node_ready: family('gauge', '1 when some node can hand out templates'),
  headframe_node_up: family('gauge', '1 when the node answers', 'node'),

  headframe_block_candidates_total: family('counter', 'Shares that met the network target'),
  headframe_blocks_total: family('counter', 'Blocks by what became of them', 'status'),
  headframe_blocks_open: family('gauge', 'Blocks that are still observed'),
  headframe_blocks_unassembled_total: family('counter', 'Candidates whose job was forgotten: kept in the journal'),
  headframe_journal_failures_total: family('counter', 'Blocks that could not be journalled'),

  headframe_storage_ok: family('gauge', '0 while shares cannot be stored'),
  headframe_ledger_unfolded_batches: family('gauge', 'Batches of shares that the statistics do not know yet'),
  headframe_ledger_fold_lag_seconds: family('gauge', 'Age of the oldest of those'),
  headframe_ledger_pending_commits: family('gauge', 'Commits that wait for the database'),
  headframe_ledger_commit_seconds: family('gauge', 'What a commit takes in the database, moving average'),
  headframe_ledger_thread_restarts_total: family('counter', 'Database threads that died and were replaced'),
  headframe_ledger_database_bytes: family('gauge', 'Size of the database'),

  headframe_accountant_pending_blocks: family('gauge', 'Blocks that wait to be booked'),
  headframe_accountant_lag_seconds: family('gauge', 'Age of the oldest share that is not booked (PPS)'),
  headframe_accountant_alarms: family('gauge', 'Things in the books that somebody must look at'),
  headframe_payments_waiting: family('gauge', 'Payments that wait for approval'),
  headframe_payments_under_way: family('gauge', 'Payments signed or sent and not confirmed'),
  headframe_payout_failing: family('gauge', '1 when the last run of payouts failed'),
  headframe_payout_last_run_timestamp_seconds: family('gauge', 'When payouts ran last'),
  headframe_wallet_ready: family('gauge', '1 when the wallet can pay'),
  headframe_wallet_spendable_coins: family('gauge', 'Spendable balance of the wallet'),

  headframe_http_request_seconds: family('histogram', 'HTTP requests answered', 'route', 'method', 'status'),
  headframe_scrape_source_up: family('gauge', '0 when the source did not answer this scrape in time', 'source'),

  headframe_event_loop_delay_seconds: family('histogram', 'Mean delay of the event loop in each second'),
  headframe_event_loop_active_seconds_total: family('counter', 'Time in which the event loop worked'),
  headframe_event_loop_idle_seconds_total: family('counter', 'Time in which the event loop waited'),
  process_cpu_seconds_total: family('counter', 'CPU time of the process, all threads'),
  process_start_time_seconds: family('gauge', 'When the process began, unix time'),
  process_resident_memory_bytes: family('gauge', 'Resident memory'),
  nodejs_heap_size_used_bytes: family('gauge', 'Heap in use'),
  nodejs_external_memory_bytes: family('gauge', 'Memory of buffers outside the heap'),
} as const satisfies Readonly<Record<string, MetricFamily>>;

/** Name of a metric. */
export type MetricName = keyof typeof METRICS;
