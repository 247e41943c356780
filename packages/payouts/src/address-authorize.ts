import { type Coin, decodeAddress } from '@headframe/coins';
import { BoundedMap, isPoolError, type Reject, reject } from '@headframe/primitives';

/** An account that is an address. */
export interface AddressAccount {
  /** The address as it is credited: bech32 in small letters, base58 as it is. */
  readonly id: string;
  readonly address: string;
}

/** Usernames that are remembered, good and bad: a farm comes back all at once, and a checksum takes some 20 us. */
const REMEMBERED = 10_000;
/** No address is longer; what is, is refused at once. */
const REMEMBERED_LENGTH = 120;

/**
 * An `authorize` handler for a pool whose usernames are `address.worker`: the address is the account. Addresses of other
 * coins and networks are refused with a message that says which they are of; bech32 may come in capitals, as QR codes
 * have it, and is one account with the same in small letters.
 *
 * @example
 * const pool = createPool(config, { authorize: addressAuthorize(coin) });
 */
export function addressAuthorize(
  coin: Coin,
): (request: { readonly username: string; readonly name: { readonly account: string } }) => AddressAccount | Reject {
  const known = new BoundedMap<string, AddressAccount | Reject>(REMEMBERED);
  return ({ name }) => {
    const { account } = name;
    let answer = known.get(account);
    if (answer === undefined) {
      answer = decide(coin, account);
      if (account.length <= REMEMBERED_LENGTH) known.set(account, answer);
    }
    return answer;
  };
}

function decide(coin: Coin, text: string): AddressAccount | Reject {
  try {
    const address = canonicalAddress(coin, text);
    return { id: address, address };
  } catch (error) {
    if (!isPoolError(error)) throw error;
    const what =
      error.code === 'wrong_network'
        ? error.message
        : `the username must be an address of ${coin.name} ${coin.network}, then a dot and a worker name: ${error.message}`;
    return reject('unauthorized', what);
  }
}

/**
 * The one form of an address under which it is credited.
 * @throws PoolError `invalid_address`, `wrong_network` as `decodeAddress`.
 */
export function canonicalAddress(coin: Coin, address: string): string {
  const { type } = decodeAddress(coin, address);
  // BIP 173 and BIP 350: the case says nothing. Base58 tells cases apart.
  return type === 'p2pkh' || type === 'p2sh' ? address : address.toLowerCase();
}
