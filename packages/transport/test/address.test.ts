import { createAddressMatcher, normalizeAddress } from '@headframe/transport';
import { describe, expect, it } from 'vitest';

describe('normalizeAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7F00:1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['', ''],
    ['memory', 'memory'],
    ['not:an:address', 'not:an:address'],
  ])('%s is %s', (address, normal) => {
    expect(normalizeAddress(address)).toBe(normal);
  });
});

describe('createAddressMatcher', () => {
  const matcher = createAddressMatcher([
    '10.0.0.0/8',
    '192.0.2.7',
    '::ffff:172.16.0.0/108',
    'fd00::/8',
    '2001:db8::1',
    '::ffff:198.51.100.1',
  ]);

  it.each(['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '192.0.2.7', '172.16.0.1', '172.31.255.255'])(
    '%s is in',
    (a) => {
      expect(matcher.matches(a)).toBe(true);
    },
  );
  it.each(['fd12::1', 'FD00::', '2001:DB8:0::1', '198.51.100.1', '::ffff:c633:6401'])('%s is in', (address) => {
    expect(matcher.matches(address)).toBe(true);
  });
  it.each([
    '11.0.0.0',
    '9.255.255.255',
    '192.0.2.8',
    '172.32.0.0',
    'fe00::1',
    '2001:db8::2',
    '',
    'x',
    '::',
    '::ffff:11.0.0.1',
  ])('%s is not in', (address) => {
    expect(matcher.matches(address)).toBe(false);
  });
  it('everything and nothing', () => {
    expect(createAddressMatcher([]).matches('127.0.0.1')).toBe(false);
    const all = createAddressMatcher(['0.0.0.0/0', '::/0']);
    expect([all.matches('1.2.3.4'), all.matches('2001:db8::1'), all.matches('::ffff:1.2.3.4')]).toEqual([
      true,
      true,
      true,
    ]);
  });
  it('a prefix wider than the mapped range is one of IPv6 that covers IPv4 too', () => {
    const wide = createAddressMatcher(['::ffff:0:0/64']);
    expect([wide.matches('::1'), wide.matches('1::'), wide.matches('10.0.0.1')]).toEqual([true, false, true]);
  });
  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    'a.b',
    'fe80::1%lo',
  ])('refuses %j', (cidr) => {
    expect(() => createAddressMatcher([cidr])).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
