import { expectTypeOf, it } from 'vitest';
import { decodeMessage, encodeMessage, type Frame, type Message, type MessageFields } from '../src/index.js';

it('types follow from the table', () => {
  expectTypeOf<MessageFields<'NewMiningJob'>>().toEqualTypeOf<{
    readonly channelId: number;
    readonly jobId: number;
    readonly minNtime: number | undefined;
    readonly version: number;
    readonly merkleRoot: Uint8Array;
  }>();
  expectTypeOf<MessageFields<'NewTemplate'>['merklePath']>().toEqualTypeOf<readonly Uint8Array[]>();
  expectTypeOf<MessageFields<'NewTemplate'>['templateId']>().toEqualTypeOf<bigint>();
  expectTypeOf<Message<'SubmitSharesExtended'>['fields']['extranonce']>().toEqualTypeOf<Uint8Array>();
});

it('a name tells the fields, and wrong fields do not compile', () => {
  const read = (frame: Frame): bigint | undefined => {
    const message = decodeMessage(frame);
    if (message.kind === 'unknown') return undefined;
    // @ts-expect-error not before the name is known
    void message.fields.newSharesSum;
    return message.name === 'SubmitSharesSuccess' ? message.fields.newSharesSum : undefined;
  };
  const write = (): void => {
    // @ts-expect-error a port is missing
    encodeMessage('Reconnect', { newHost: 'pool' });
    // @ts-expect-error a number for a bigint
    encodeMessage('RequestTransactionData', { templateId: 7 });
    // @ts-expect-error no such message
    encodeMessage('SubmitShares', {});
  };
  expectTypeOf(read).returns.toEqualTypeOf<bigint | undefined>();
  expectTypeOf(write).returns.toEqualTypeOf<void>();
});
