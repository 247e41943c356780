import { ByteReader, PoolError } from '@headframe/primitives';
import { parseTransaction, type TransactionParts } from './transaction.js';

/** A transaction under construction, every field set. */
export type RawTransaction = Required<TransactionParts>;

/** No inputs: the bytes look like the marker of BIP 144. Undefined when they are not that form to the last byte. */
function parseWithoutInputs(bytes: Uint8Array): RawTransaction | undefined {
  const reader = new ByteReader(bytes);
  try {
    const version = reader.u32le();
    if (reader.compactSize() !== 0) return undefined;
    const count = reader.compactSize();
    const outputs = [];
    for (let i = 0; i < count; i++) outputs.push({ value: reader.u64le(), script: reader.copy(reader.compactSize()) });
    const lockTime = reader.u32le();
    return reader.remaining > 0 ? undefined : { version, inputs: [], outputs, lockTime };
  } catch (error) {
    if (error instanceof PoolError) return undefined;
    throw error;
  }
}

/** Reads a transaction, also one without inputs. @throws PoolError `end_of_data` or `invalid_data`. */
export function parseRaw(bytes: Uint8Array): RawTransaction {
  return parseWithoutInputs(Uint8Array.from(bytes)) ?? parseTransaction(bytes);
}
