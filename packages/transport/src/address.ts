import { BlockList, isIP, SocketAddress } from 'node:net';
import { PoolError } from '@headframe/primitives';

/**
 * One spelling per address: IPv4 in IPv6 (`::ffff:1.2.3.4`) as IPv4, IPv6 shortened and in lower case, without zone.
 * Text that is no address is returned as it is.
 */
export function normalizeAddress(address: string): string {
  // The hot case: every accepted IPv4 connection on a dual-stack listener comes mapped, any other IPv4 plain.
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  if (isIP(bare) !== 6) return address;
  const short = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return short.startsWith('::ffff:') && short.includes('.') ? short.slice(7) : short;
}

/** Tells whether an address is in a list. */
export interface AddressMatcher {
  matches(address: string): boolean;
}

/**
 * Matches addresses against CIDRs (`10.0.0.0/8`, `fd00::/8`) and single addresses. IPv4 in IPv6 counts as IPv4, in
 * the list and in what is asked.
 * @throws PoolError `invalid_argument` naming the entry that is neither.
 */
export function createAddressMatcher(cidrs: readonly string[]): AddressMatcher {
  const list = new BlockList();
  for (const cidr of cidrs) addCidr(list, cidr);
  return {
    matches(address) {
      const plain = normalizeAddress(address);
      const version = isIP(plain);
      return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

function addCidr(list: BlockList, cidr: string): void {
  const slash = cidr.indexOf('/');
  const address = slash < 0 ? cidr : cidr.slice(0, slash);
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const length = slash < 0 ? String(bits) : cidr.slice(slash + 1);
  if (version === 0 || address.includes('%') || !/^\d{1,3}$/.test(length) || Number(length) > bits) {
    throw new PoolError('invalid_argument', `not an address or CIDR: ${cidr}`, { details: { cidr } });
  }
  const plain = normalizeAddress(address);
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix reaches beyond the mapped range and stays IPv6.
  if (version === 6 && isIP(plain) === 4 && Number(length) >= 96) list.addSubnet(plain, Number(length) - 96, 'ipv4');
  else list.addSubnet(address, Number(length), version === 4 ? 'ipv4' : 'ipv6');
}
