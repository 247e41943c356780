/**
 * The first parameter of getblocktemplate for a chain that knows `rules` (BIP 22, BIP 145). `coinbasevalue` and not
 * `coinbasetxn`: bcoin leaves the value out when it is asked for the transaction.
 */
export function templateRequest(rules: readonly string[]): Record<string, unknown> {
  return { capabilities: ['coinbasevalue', 'longpoll', 'workid', 'proposal'], rules };
}
