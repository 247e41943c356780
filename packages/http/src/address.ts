import { BlockList, isIP, SocketAddress } from 'node:net';
import { PoolError } from '@headframe/primitives';

/** What limits are counted by: an IPv4 address, or the /64 of an IPv6 one, which is what one customer has. */
export function addressKey(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain.slice(0, 64);
  const [head = '', tail = ''] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = plain.includes('::') ? new Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0') : [];
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
}

/** One spelling per address: IPv4 in IPv6 as IPv4, IPv6 shortened, without zone. */
function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const bare = address.split('%')[0] ?? address;
  if (isIP(bare) !== 6) return address;
  const short = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return short.startsWith('::ffff:') && short.includes('.') ? short.slice(7) : short;
}

/**
 * Tells whether an address is one of the proxies.
 * @throws PoolError `invalid_config` naming the entry that is no CIDR and no address
 */
export function proxyMatcher(cidrs: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : most + 1;
    if (version === 0 || length > most) {
      throw new PoolError('invalid_config', `trustedProxies: not an address or CIDR: ${cidr}`);
    }
    list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  };
}
