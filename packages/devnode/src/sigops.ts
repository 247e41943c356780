import type { Transaction } from './transaction.js';

/**
 * Signature operations in a script, the coarse pre-BIP 16 count that blocks are limited by. A script that ends inside a
 * push is counted up to there, as nodes do.
 */
export function legacySigops(script: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < script.length; i++) {
    const opcode = script[i] ?? 0;
    if (opcode >= 0x01 && opcode <= 0x4b) i += opcode;
    else if (opcode === 0x4c) i += 1 + (script[i + 1] ?? 0);
    else if (opcode === 0x4d) i += 2 + ((script[i + 1] ?? 0) | ((script[i + 2] ?? 0) << 8));
    else if (opcode === 0x4e) {
      const length = new DataView(script.buffer, script.byteOffset, script.length);
      i += i + 5 <= script.length ? 4 + length.getUint32(i + 1, true) : script.length;
    } else if (opcode === 0xac || opcode === 0xad)
      count += 1; // CHECKSIG, CHECKSIGVERIFY
    else if (opcode === 0xae || opcode === 0xaf) count += 20; // CHECKMULTISIG counts as its maximum
  }
  return count;
}

/** {@link legacySigops} of every script in a transaction. */
export function transactionSigops(transaction: Transaction): number {
  let count = 0;
  for (const input of transaction.inputs) count += legacySigops(input.scriptSig);
  for (const output of transaction.outputs) count += legacySigops(output.script);
  return count;
}
