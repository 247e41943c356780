import { isIP } from 'node:net';
import { normalizeAddress } from '@headframe/transport';

/**
 * What limits and bans count by: an IPv4 address, or the /64 of an IPv6 address (one subscriber has a whole /64, so
 * single addresses in it are free to take). Anything else stands for itself.
 */
export function addressKey(address: string): string {
  const plain = normalizeAddress(address);
  if (!plain.includes(':') || isIP(plain) !== 6) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    // An embedded IPv4 tail counts for two groups; it never reaches the first four unless the address is all tail.
    const width = rest.reduce((sum, group) => sum + (group.includes('.') ? 2 : 1), 0);
    while (groups.length + width < 8) groups.push('0');
    groups.push(...rest);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
