import { B0_16M, B0_32, B0_64K, B0_255, STR0_255, U16, U32, U256 } from '../codec.js';
import { seq0to64k } from '../sequence.js';
import { definer } from './define.js';

const define = definer('job-declaration');

/** Messages of the job declaration protocol: clients that choose the transactions. */
export const JOB_DECLARATION_MESSAGES = {
  AllocateMiningJobToken: define(
    0x50,
    'AllocateMiningJobToken',
    { isChannelMessage: false, sender: 'client', about: 'Asks for a token for a job to come.' },
    {
      userIdentifier: STR0_255,
      requestId: U32,
    },
  ),
  AllocateMiningJobTokenSuccess: define(
    0x51,
    'AllocateMiningJobToken.Success',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'A token, and the outputs to pay (CompactSize count in front, value of the first 0).',
    },
    {
      requestId: U32,
      miningJobToken: B0_255,
      coinbaseTxOutputs: B0_64K,
    },
  ),
  ProvideMissingTransactions: define(
    0x55,
    'ProvideMissingTransactions',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'Asks for transactions of a declared job that the server does not have.',
    },
    {
      requestId: U32,
      unknownTxPositionList: seq0to64k(U16),
    },
  ),
  ProvideMissingTransactionsSuccess: define(
    0x56,
    'ProvideMissingTransactions.Success',
    { isChannelMessage: false, sender: 'client', about: 'The transactions, in the order asked.' },
    {
      requestId: U32,
      transactionList: seq0to64k(B0_16M),
    },
  ),
  DeclareMiningJob: define(
    0x57,
    'DeclareMiningJob',
    {
      isChannelMessage: false,
      sender: 'client',
      about: 'A job as the client will mine it; the coinbase transaction is with witness.',
    },
    {
      requestId: U32,
      miningJobToken: B0_255,
      version: U32,
      coinbaseTxPrefix: B0_64K,
      coinbaseTxSuffix: B0_64K,
      wtxidList: seq0to64k(U256),
      excessData: B0_64K,
    },
  ),
  DeclareMiningJobSuccess: define(
    0x58,
    'DeclareMiningJob.Success',
    { isChannelMessage: false, sender: 'server', about: 'The declared job is accepted under this token.' },
    {
      requestId: U32,
      newMiningJobToken: B0_255,
    },
  ),
  DeclareMiningJobError: define(
    0x59,
    'DeclareMiningJob.Error',
    { isChannelMessage: false, sender: 'server', about: 'The declared job is refused.' },
    {
      requestId: U32,
      errorCode: STR0_255,
      errorDetails: B0_64K,
    },
  ),
  PushSolution: define(
    0x60,
    'PushSolution',
    {
      isChannelMessage: false,
      sender: 'client',
      about: 'A block was found with the declared job; the extranonce is the whole one.',
    },
    {
      extranonce: B0_32,
      prevHash: U256,
      nonce: U32,
      ntime: U32,
      nbits: U32,
      version: U32,
    },
  ),
} as const;
