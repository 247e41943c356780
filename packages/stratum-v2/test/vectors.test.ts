import { createHash } from 'node:crypto';
import { bytesToHex, concatBytes } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import {
  type Decoded,
  decodeFields,
  decodeMessage,
  encodeFrame,
  encodeMessage,
  encodeTlvs,
  type Frame,
  FrameReader,
  MESSAGES,
  type Message,
  type MessageName,
  messageFrame,
  messageName,
  readFrameHeader,
  readTlvs,
  targetFromHashrate,
  workerIdentity,
  workerIdentityTlv,
} from '../src/index.js';
import { hex, MESSAGE_NAMES, vectors } from './support.js';

function frameOf(text: string): Frame {
  const frames: Frame[] = [];
  new FrameReader().push(hex(text), (frame) => frames.push(frame));
  const [frame] = frames;
  if (frame === undefined || frames.length !== 1) throw new Error(`${frames.length} frames`);
  return frame;
}

function messageOf<N extends MessageName>(text: string, name: N): Message<N>['fields'] {
  const decoded: Decoded = decodeMessage(frameOf(text));
  if (decoded.kind !== 'message' || decoded.name !== name) throw new Error(`not a ${name}`);
  return decodeFields(name, frameOf(text).payload);
}

const vectorOf = (name: string): string => {
  const vector = vectors.messages.find((entry) => entry.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return vector.frame_hex;
};

describe('messages of the reference implementation', () => {
  it('are 46, and every message but none is among them', () => {
    expect(vectors.messages.length).toBe(46);
    const seen = new Set(vectors.messages.map((vector) => messageName(frameOf(vector.frame_hex))));
    expect(MESSAGE_NAMES.filter((name) => !seen.has(name))).toEqual([]);
  });

  it.each(vectors.messages)('$name decodes and encodes to the same bytes', (vector) => {
    const frame = frameOf(vector.frame_hex);
    expect([frame.extensionType, frame.messageType]).toEqual([vector.extension_type, Number(vector.msg_type)]);
    expect(frame.isChannelMessage).toBe(vector.channel_msg);
    const message = decodeMessage(frame);
    if (message.kind !== 'message') throw new Error('unknown');
    expect(message.trailing.length).toBe(0);
    expect(MESSAGES[message.name].wireName).toBe(vector.name.replace(/\(.*/, ''));
    expect(MESSAGES[message.name].isChannelMessage).toBe(vector.channel_msg);
    expect(bytesToHex(encodeMessage(message.name, message.fields))).toBe(vector.frame_hex);
  });

  it('have the values that they were made from', () => {
    expect(messageOf(vectorOf('SetupConnection'), 'SetupConnection')).toMatchObject({
      protocol: 0,
      minVersion: 2,
      maxVersion: 2,
      flags: 5,
      endpointHost: 'pool.example.com',
      endpointPort: 34254,
      vendor: 'Bitmain',
      hardwareVersion: 'S9i 13.5',
      deviceId: 'some-device-id',
    });
    expect(messageOf(vectorOf('OpenStandardMiningChannel'), 'OpenStandardMiningChannel')).toMatchObject({
      requestId: 10,
      userIdentity: 'braiinstest.worker1',
      nominalHashRate: Math.fround(12.3),
      maxTarget: Uint8Array.from({ length: 32 }, (_, i) => i + 1),
    });
    const opened = messageOf(vectorOf('OpenExtendedMiningChannel.Success'), 'OpenExtendedMiningChannelSuccess');
    expect(opened).toMatchObject({ channelId: 2, extranonceSize: 16, extranoncePrefix: hex('deadbeef') });
    expect(opened.groupChannelId).toBe(1);
    expect(messageOf(vectorOf('NewMiningJob(active)'), 'NewMiningJob').minNtime).toBe(1722438912);
    expect(messageOf(vectorOf('NewMiningJob(future)'), 'NewMiningJob').minNtime).toBeUndefined();
    expect(messageOf(vectorOf('SubmitShares.Success'), 'SubmitSharesSuccess')).toEqual({
      channelId: 2,
      lastSequenceNumber: 100,
      newSubmitsAcceptedCount: 10,
      newSharesSum: 72623859790382856n,
    });
    expect(messageOf(vectorOf('SetCustomMiningJob'), 'SetCustomMiningJob')).toMatchObject({
      requestId: 5,
      miningJobToken: hex('01020304'),
      nbits: 0x170331db,
      coinbaseTxVersion: 2,
      coinbasePrefix: hex('03400d0e'),
      coinbaseTxInputNSequence: 0xfffffffe,
      coinbaseTxLocktime: 0,
    });
    expect(messageOf(vectorOf('SetGroupChannel'), 'SetGroupChannel').channelIds).toEqual([2, 3, 4]);
    expect(messageOf(vectorOf('AllocateMiningJobToken'), 'AllocateMiningJobToken')).toEqual({
      userIdentifier: 'braiinstest',
      requestId: 1,
    });
    expect(messageOf(vectorOf('ProvideMissingTransactions'), 'ProvideMissingTransactions')).toEqual({
      requestId: 2,
      unknownTxPositionList: [0, 258],
    });
    expect(messageOf(vectorOf('NewTemplate'), 'NewTemplate')).toMatchObject({
      templateId: 72623859790382856n,
      futureTemplate: true,
      coinbaseTxValueRemaining: 312500000n,
      coinbaseTxOutputsCount: 1,
      coinbaseTxLocktime: 918272,
    });
    expect(messageOf(vectorOf('RequestExtensions.Error'), 'RequestExtensionsError')).toEqual({
      requestId: 258,
      unsupportedExtensions: [3],
      requiredExtensions: [5],
    });
  });
});

describe('messages of the template provider', () => {
  const tp = vectors.sv2_tp_messages;
  const payload = (key: string): Uint8Array => hex(String(tp[key]?.hex));
  const camel = (text: string): string => text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

  it('SetupConnection has these fields and this header', () => {
    const fields = decodeFields('SetupConnection', payload('SetupConnection_payload'));
    const expected = Object.entries(tp.SetupConnection_payload?.fields ?? {});
    expect(expected.length).toBe(10);
    expect(fields).toEqual(Object.fromEntries(expected.map(([key, value]) => [camel(key), value])));
    const bytes = encodeMessage('SetupConnection', fields);
    expect(bytesToHex(bytes.subarray(0, 6))).toBe(tp.SetupConnection_frame_header);
    expect(bytes.subarray(6)).toEqual(payload('SetupConnection_payload'));
  });

  it.each([
    ['SetupConnectionSuccess_payload', 'SetupConnectionSuccess'],
    ['SetupConnectionError_payload', 'SetupConnectionError'],
    ['NewTemplate_payload', 'NewTemplate'],
    ['SetNewPrevHash_tdp_payload', 'SetNewPrevHashTemplate'],
  ] as const)('%s', (key, name) => {
    const fields: Record<string, unknown> = decodeFields(name, payload(key));
    let compared = 0;
    for (const [field, value] of Object.entries(tp[key] ?? {})) {
      if (field === 'hex') continue;
      const ours = fields[camel(field)];
      const texts = (Array.isArray(ours) ? ours : [ours]).map((entry) =>
        entry instanceof Uint8Array ? bytesToHex(entry) : String(entry),
      );
      expect(texts, field).toEqual((Array.isArray(value) ? value : [value]).map(String));
      compared++;
    }
    expect(compared).toBeGreaterThan(1);
    expect(messageFrame(name, decodeFields(name, payload(key))).payload).toEqual(payload(key));
  });
});

describe('jobs of the reference implementation', () => {
  const sha256d = (bytes: Uint8Array): Uint8Array =>
    Uint8Array.from(createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest());

  it('are 3', () => expect(vectors.jobs.length).toBe(3));

  it.each(vectors.jobs)('job $# makes its header from what the messages say', (vector) => {
    const template = messageOf(vector.template_frame, 'NewTemplate');
    const job = messageOf(vector.NewExtendedMiningJob_frame, 'NewExtendedMiningJob');
    const share = messageOf(vector.SubmitSharesExtended_frame, 'SubmitSharesExtended');
    expect(job.merklePath).toEqual(template.merklePath);
    const rootWith = (extranonce: Uint8Array): Uint8Array =>
      job.merklePath.reduce(
        (root, step) => sha256d(concatBytes(root, step)),
        sha256d(concatBytes(job.coinbaseTxPrefix, extranonce, job.coinbaseTxSuffix)),
      );
    const root = rootWith(concatBytes(hex(vector.extranonce_prefix), share.extranonce));
    expect(bytesToHex(root)).toBe(vector.merkle_root);
    const header = Buffer.alloc(80);
    header.writeUInt32LE(share.version, 0);
    header.set(hex(vector.prev_hash), 4);
    header.set(root, 36);
    header.writeUInt32LE(share.ntime, 68);
    header.writeUInt32LE(Number.parseInt(vector.nbits, 16), 72);
    header.writeUInt32LE(share.nonce, 76);
    expect(header.toString('hex')).toBe(vector.header);
    expect(bytesToHex(sha256d(header))).toBe(vector.header_sha256d);
    const standard = messageOf(vector.standard_channel.NewMiningJob_frame, 'NewMiningJob');
    expect(standard.merkleRoot.length).toBe(32);
    for (const text of [vector.template_frame, vector.NewExtendedMiningJob_frame, vector.SubmitSharesExtended_frame]) {
      expect(bytesToHex(encodeFrame(frameOf(text)))).toBe(text);
    }
  });
});

describe('TLVs', () => {
  it('come in the byte order of the reference implementation and in that of the specification', () => {
    const little = hex(vectors.tlv.sri_user_identity_Worker_001);
    const big = hex(vectors.tlv.spec_text_example);
    expect(encodeTlvs([workerIdentityTlv('Worker_001')])).toEqual(little);
    expect(encodeTlvs([workerIdentityTlv('Worker_001')], 'be')).toEqual(big);
    for (const [bytes, order] of [
      [little, 'le'],
      [big, 'be'],
    ] as const) {
      const { tlvs, rest } = readTlvs(bytes, (extension) => extension === 2);
      expect(rest.length).toBe(0);
      expect(tlvs.map((tlv) => tlv.order)).toEqual([order]);
      expect(workerIdentity(tlvs)).toBe('Worker_001');
    }
  });
});

describe('targets of the reference implementation', () => {
  it('are 9', () => expect(vectors.targets.length).toBe(9));
  it.each(vectors.targets)('$hashrate H/s at $shares_per_min a minute', (vector) => {
    expect(bytesToHex(targetFromHashrate(vector.hashrate, vector.shares_per_min))).toBe(vector.target_le_wire);
  });
});

it('reads the channel bit as the top bit of the second byte', () => {
  expect(readFrameHeader(hex('bc8a05010000'))).toEqual({
    extensionType: 0x0abc,
    isChannelMessage: true,
    messageType: 5,
    payloadLength: 1,
  });
});
