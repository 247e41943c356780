import type { TestNode } from '../nodes/bcoin.js';
import { anyoneAddress } from './script.js';

/**
 * Share difficulties at which, on regtest, about half of the shares are blocks: the network's is 4.66e-10 (times 65536
 * for scrypt) and the lowest legal one 2.33e-10.
 */
export const EASY: { readonly sha256d: number; readonly scrypt: number } = { sha256d: 2.5e-10, scrypt: 2e-5 };

function daemon(node: Pick<TestNode, 'url' | 'user' | 'password'>): Record<string, unknown> {
  return { url: node.url, user: node.user, password: node.password };
}

/** A configuration with one listener on a free port that pays whoever can read: OP_TRUE. */
export function poolConfig(
  coin: 'bitcoin' | 'litecoin',
  nodes: readonly Pick<TestNode, 'url' | 'user' | 'password'>[],
  extra: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    coin,
    network: 'regtest',
    daemons: nodes.map(daemon),
    payout: { scheme: 'solo', address: anyoneAddress(coin === 'bitcoin' ? 'bcrt' : 'rltc') },
    listeners: [{ host: '127.0.0.1', port: 0, difficulty: coin === 'bitcoin' ? EASY.sha256d : EASY.scrypt }],
    log: { level: 'debug' },
    ...extra,
  };
}
