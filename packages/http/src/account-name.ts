import type { Coin } from '@headframe/coins';
import { canonicalAddress } from '@headframe/payouts';
import { isPoolError } from '@headframe/primitives';

/**
 * The account that a person means by a name. Where accounts are addresses, bech32 may come in capitals, as QR codes have
 * it: it is the account in small letters. Any other name is what it is.
 */
export function accountName(coin: Coin, text: string): string {
  try {
    return canonicalAddress(coin, text);
  } catch (error) {
    if (isPoolError(error)) return text;
    throw error;
  }
}
