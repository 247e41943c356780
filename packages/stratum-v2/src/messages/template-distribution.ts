import { B0_16M, B0_64K, B0_255, BOOL, STR0_255, U16, U32, U64, U256 } from '../codec.js';
import { seq0to64k, seq0to255 } from '../sequence.js';
import { definer } from './define.js';

const define = definer('template-distribution');

/** Messages of the template distribution protocol: block templates from a node. */
export const TEMPLATE_DISTRIBUTION_MESSAGES = {
  CoinbaseOutputConstraints: define(
    0x70,
    'CoinbaseOutputConstraints',
    {
      isChannelMessage: false,
      sender: 'client',
      about: 'Room to leave for the outputs of the coinbase transaction, in bytes and signature operations.',
    },
    {
      coinbaseOutputMaxAdditionalSize: U32,
      coinbaseOutputMaxAdditionalSigops: U16,
    },
  ),
  NewTemplate: define(
    0x71,
    'NewTemplate',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'A template. Outputs without a count in front: it is the field before them.',
    },
    {
      templateId: U64,
      futureTemplate: BOOL,
      version: U32,
      coinbaseTxVersion: U32,
      coinbasePrefix: B0_255,
      coinbaseTxInputSequence: U32,
      coinbaseTxValueRemaining: U64,
      coinbaseTxOutputsCount: U32,
      coinbaseTxOutputs: B0_64K,
      coinbaseTxLocktime: U32,
      merklePath: seq0to255(U256),
    },
  ),
  SetNewPrevHashTemplate: define(
    0x72,
    'SetNewPrevHash',
    { isChannelMessage: false, sender: 'server', about: 'A new block to build on, and the template that does.' },
    {
      templateId: U64,
      prevHash: U256,
      headerTimestamp: U32,
      nbits: U32,
      target: U256,
    },
  ),
  RequestTransactionData: define(
    0x73,
    'RequestTransactionData',
    { isChannelMessage: false, sender: 'client', about: 'Asks for the transactions of a template.' },
    {
      templateId: U64,
    },
  ),
  RequestTransactionDataSuccess: define(
    0x74,
    'RequestTransactionData.Success',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'The transactions in the order of the block, without the coinbase transaction.',
    },
    {
      templateId: U64,
      excessData: B0_64K,
      transactionList: seq0to64k(B0_16M),
    },
  ),
  RequestTransactionDataError: define(
    0x75,
    'RequestTransactionData.Error',
    { isChannelMessage: false, sender: 'server', about: 'The transactions are not to be had.' },
    {
      templateId: U64,
      errorCode: STR0_255,
    },
  ),
  SubmitSolution: define(
    0x76,
    'SubmitSolution',
    {
      isChannelMessage: false,
      sender: 'client',
      about: 'A block was found with the template; the coinbase transaction is with witness. No answer follows.',
    },
    {
      templateId: U64,
      version: U32,
      headerTimestamp: U32,
      headerNonce: U32,
      coinbaseTx: B0_64K,
    },
  ),
} as const;
