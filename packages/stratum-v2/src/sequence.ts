import { PoolError } from '@headframe/primitives';
import { type Codec, U8, U16 } from './codec.js';

function sequence<T>(kind: string, prefix: Codec<number>, maxCount: number, item: Codec<T>): Codec<readonly T[]> {
  const name = `${kind}[${item.name}]`;
  return {
    name,
    minBytes: prefix.minBytes,
    read(reader) {
      const count = prefix.read(reader);
      // Before the first item: a count of 65,535 costs nothing unless the bytes are there.
      if (count * item.minBytes > reader.remaining) {
        throw new PoolError('end_of_data', `${name}: ${count} items do not fit in ${reader.remaining} bytes`);
      }
      const items: T[] = [];
      for (let i = 0; i < count; i++) items.push(item.read(reader));
      return items;
    },
    write(writer, value) {
      if (!Array.isArray(value)) throw new PoolError('invalid_argument', `${name}: needs a list`);
      if (value.length > maxCount) {
        throw new PoolError('invalid_argument', `${name}: ${value.length} items, at most ${maxCount}`);
      }
      prefix.write(writer, value.length);
      for (const entry of value) item.write(writer, entry);
    },
  };
}

/** A list of 0 to 255 items behind their number (U8). */
export function seq0to255<T>(item: Codec<T>): Codec<readonly T[]> {
  return sequence('SEQ0_255', U8, 0xff, item);
}

/** A list of 0 to 65,535 items behind their number (U16). */
export function seq0to64k<T>(item: Codec<T>): Codec<readonly T[]> {
  return sequence('SEQ0_64K', U16, 0xffff, item);
}

/** A value or none: a count of 0 or 1 (U8), then the value. */
export function option<T>(item: Codec<T>): Codec<T | undefined> {
  const name = `OPTION[${item.name}]`;
  return {
    name,
    minBytes: 1,
    read(reader) {
      const count = reader.u8();
      if (count > 1) throw new PoolError('invalid_data', `${name}: a count of ${count}`);
      return count === 0 ? undefined : item.read(reader);
    },
    write(writer, value) {
      writer.u8(value === undefined ? 0 : 1);
      if (value !== undefined) item.write(writer, value);
    },
  };
}
