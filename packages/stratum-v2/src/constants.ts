/** The version of the protocol, the only one there is. */
export const PROTOCOL_VERSION = 2;

/** Numbers of the subprotocols in SetupConnection. */
export const PROTOCOLS = { mining: 0, jobDeclaration: 1, templateDistribution: 2 } as const;

/** Flags of SetupConnection and SetupConnection.Success; each belongs to one subprotocol and one direction. */
export const SETUP_FLAGS = {
  /** Mining, client: a device that only hashes headers; never send it extended jobs. */
  requiresStandardJobs: 0x1,
  /** Mining, client: it will send SetCustomMiningJob. */
  requiresWorkSelection: 0x2,
  /** Mining, client: it rolls the version. */
  requiresVersionRolling: 0x4,
  /** Mining, server: the version may not be rolled. */
  requiresFixedVersion: 0x1,
  /** Mining, server: no standard channels. */
  requiresExtendedChannels: 0x2,
  /** Job declaration, client: full templates are declared. */
  declareTxData: 0x1,
} as const;

/** Version bits that may be rolled: 5 to 28. BIP 323 */
export const VERSION_ROLLING_MASK = 0x1fffffe0;

/** Error codes by the message that carries them. Peers may send others: a code is printable ASCII, not a closed list. */
export const ERROR_CODES = {
  SetupConnectionError: [
    'unsupported-feature-flags',
    'unsupported-protocol',
    'protocol-version-mismatch',
    'missing-declare-tx-data-flag',
  ],
  OpenMiningChannelError: [
    'unknown-user',
    'max-target-out-of-range',
    'invalid-user-identity',
    'invalid-nominal-hashrate',
    'min-extranonce-size-too-large',
    'unsupported-min-extranonce-size',
    'standard-channels-not-supported-for-custom-work',
    'extended-channels-not-supported-for-standard-jobs',
    'channel-capacity-exhausted',
  ],
  UpdateChannelError: ['max-target-out-of-range', 'invalid-channel-id', 'invalid-nominal-hashrate'],
  SubmitSharesError: [
    'invalid-channel-id',
    'stale-share',
    'difficulty-too-low',
    'invalid-job-id',
    'invalid-share',
    'duplicate-share',
    'bad-extranonce-size',
    'version-rolling-not-allowed',
    'invalid-non-rollable-version-bit',
  ],
  SetCustomMiningJobError: [
    'jd-not-supported',
    'invalid-channel-id',
    'invalid-mining-job-token',
    'job-not-yet-validated',
    'stale-chain-tip',
    'invalid-min-ntime',
    'invalid-nbits',
    'invalid-version',
    'invalid-coinbase-tx',
    'invalid-coinbase-tx-version',
    'invalid-coinbase-prefix',
    'invalid-coinbase-tx-input-n-sequence',
    'invalid-coinbase-tx-outputs',
    'invalid-coinbase-tx-locktime',
    'invalid-merkle-path',
  ],
  DeclareMiningJobError: [
    'invalid-mining-job-token',
    'missing-txs',
    'invalid-coinbase-tx',
    'invalid-coinbase-tx-input',
    'internal-error',
    'stale-chain-tip',
    'invalid-job',
  ],
  RequestTransactionDataError: ['template-id-not-found', 'stale-template-id'],
} as const;
