import { B0_32, B0_64K, B0_255, BOOL, F32, STR0_255, U16, U32, U64, U256 } from '../codec.js';
import { option, seq0to64k, seq0to255 } from '../sequence.js';
import { definer } from './define.js';

const define = definer('mining');

/** Messages of the mining protocol: channels, jobs, shares. */
export const MINING_MESSAGES = {
  OpenStandardMiningChannel: define(
    0x10,
    'OpenStandardMiningChannel',
    { isChannelMessage: false, sender: 'client', about: 'Asks for a channel whose jobs have a finished merkle root.' },
    {
      requestId: U32,
      userIdentity: STR0_255,
      nominalHashRate: F32,
      maxTarget: U256,
    },
  ),
  OpenStandardMiningChannelSuccess: define(
    0x11,
    'OpenStandardMiningChannel.Success',
    { isChannelMessage: false, sender: 'server', about: 'The standard channel is open.' },
    {
      requestId: U32,
      channelId: U32,
      target: U256,
      extranoncePrefix: B0_32,
      groupChannelId: U32,
    },
  ),
  OpenMiningChannelError: define(
    0x12,
    'OpenMiningChannel.Error',
    { isChannelMessage: false, sender: 'server', about: 'The channel, of either kind, is refused.' },
    {
      requestId: U32,
      errorCode: STR0_255,
    },
  ),
  OpenExtendedMiningChannel: define(
    0x13,
    'OpenExtendedMiningChannel',
    { isChannelMessage: false, sender: 'client', about: 'Asks for a channel whose jobs leave an extranonce to roll.' },
    {
      requestId: U32,
      userIdentity: STR0_255,
      nominalHashRate: F32,
      maxTarget: U256,
      minExtranonceSize: U16,
    },
  ),
  OpenExtendedMiningChannelSuccess: define(
    0x14,
    'OpenExtendedMiningChannel.Success',
    {
      isChannelMessage: false,
      sender: 'server',
      about: 'The extended channel is open. Size before prefix, unlike the standard one.',
    },
    {
      requestId: U32,
      channelId: U32,
      target: U256,
      extranonceSize: U16,
      extranoncePrefix: B0_32,
      groupChannelId: U32,
    },
  ),
  NewMiningJob: define(
    0x15,
    'NewMiningJob',
    {
      isChannelMessage: true,
      sender: 'server',
      about: 'A job of a standard channel; without minNtime it waits for SetNewPrevHash.',
    },
    {
      channelId: U32,
      jobId: U32,
      minNtime: option(U32),
      version: U32,
      merkleRoot: U256,
    },
  ),
  UpdateChannel: define(
    0x16,
    'UpdateChannel',
    { isChannelMessage: true, sender: 'client', about: 'The hash rate or the easiest target of a channel changed.' },
    {
      channelId: U32,
      nominalHashRate: F32,
      maximumTarget: U256,
    },
  ),
  UpdateChannelError: define(
    0x17,
    'UpdateChannel.Error',
    { isChannelMessage: true, sender: 'server', about: 'The update of the channel is refused.' },
    {
      channelId: U32,
      errorCode: STR0_255,
    },
  ),
  CloseChannel: define(
    0x18,
    'CloseChannel',
    { isChannelMessage: true, sender: 'both', about: 'The channel, or every channel of the group, is closed.' },
    {
      channelId: U32,
      reasonCode: STR0_255,
    },
  ),
  SetExtranoncePrefix: define(
    0x19,
    'SetExtranoncePrefix',
    { isChannelMessage: true, sender: 'server', about: 'Another extranonce prefix for the jobs that follow.' },
    {
      channelId: U32,
      extranoncePrefix: B0_32,
    },
  ),
  SubmitSharesStandard: define(
    0x1a,
    'SubmitSharesStandard',
    {
      isChannelMessage: true,
      sender: 'client',
      about: 'A share of a standard channel. The version is the whole version field.',
    },
    {
      channelId: U32,
      sequenceNumber: U32,
      jobId: U32,
      nonce: U32,
      ntime: U32,
      version: U32,
    },
  ),
  SubmitSharesExtended: define(
    0x1b,
    'SubmitSharesExtended',
    {
      isChannelMessage: true,
      sender: 'client',
      about: 'A share of an extended channel. The version is the whole version field.',
    },
    {
      channelId: U32,
      sequenceNumber: U32,
      jobId: U32,
      nonce: U32,
      ntime: U32,
      version: U32,
      extranonce: B0_32,
    },
  ),
  SubmitSharesSuccess: define(
    0x1c,
    'SubmitShares.Success',
    {
      isChannelMessage: true,
      sender: 'server',
      about: 'A batch of shares is accepted; the counts are those of the batch alone.',
    },
    {
      channelId: U32,
      lastSequenceNumber: U32,
      newSubmitsAcceptedCount: U32,
      newSharesSum: U64,
    },
  ),
  SubmitSharesError: define(
    0x1d,
    'SubmitShares.Error',
    { isChannelMessage: true, sender: 'server', about: 'A share is refused.' },
    {
      channelId: U32,
      sequenceNumber: U32,
      errorCode: STR0_255,
    },
  ),
  NewExtendedMiningJob: define(
    0x1f,
    'NewExtendedMiningJob',
    {
      isChannelMessage: true,
      sender: 'server',
      about: 'A job of an extended or group channel; the coinbase transaction is without witness.',
    },
    {
      channelId: U32,
      jobId: U32,
      minNtime: option(U32),
      version: U32,
      versionRollingAllowed: BOOL,
      merklePath: seq0to255(U256),
      coinbaseTxPrefix: B0_64K,
      coinbaseTxSuffix: B0_64K,
    },
  ),
  SetNewPrevHash: define(
    0x20,
    'SetNewPrevHash',
    {
      isChannelMessage: true,
      sender: 'server',
      about: 'A new block to build on, and the waiting job that does; all other jobs are void.',
    },
    {
      channelId: U32,
      jobId: U32,
      prevHash: U256,
      minNtime: U32,
      nbits: U32,
    },
  ),
  SetTarget: define(
    0x21,
    'SetTarget',
    { isChannelMessage: true, sender: 'server', about: 'The easiest target for the jobs that follow.' },
    {
      channelId: U32,
      maximumTarget: U256,
    },
  ),
  SetCustomMiningJob: define(
    0x22,
    'SetCustomMiningJob',
    {
      isChannelMessage: true,
      sender: 'client',
      about: "A job of the client's own making. The outputs have their CompactSize count in front.",
    },
    {
      channelId: U32,
      requestId: U32,
      miningJobToken: B0_255,
      version: U32,
      prevHash: U256,
      minNtime: U32,
      nbits: U32,
      coinbaseTxVersion: U32,
      coinbasePrefix: B0_255,
      coinbaseTxInputNSequence: U32,
      coinbaseTxOutputs: B0_64K,
      coinbaseTxLocktime: U32,
      merklePath: seq0to255(U256),
    },
  ),
  SetCustomMiningJobSuccess: define(
    0x23,
    'SetCustomMiningJob.Success',
    { isChannelMessage: true, sender: 'server', about: 'The custom job is accepted under this id.' },
    {
      channelId: U32,
      requestId: U32,
      jobId: U32,
    },
  ),
  SetCustomMiningJobError: define(
    0x24,
    'SetCustomMiningJob.Error',
    { isChannelMessage: true, sender: 'server', about: 'The custom job is refused.' },
    {
      channelId: U32,
      requestId: U32,
      errorCode: STR0_255,
    },
  ),
  SetGroupChannel: define(
    0x25,
    'SetGroupChannel',
    { isChannelMessage: false, sender: 'server', about: 'These channels belong to this group from now on.' },
    {
      groupChannelId: U32,
      channelIds: seq0to64k(U32),
    },
  ),
} as const;
