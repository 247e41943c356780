import type { Coin } from '@headframe/coins';
import { concatBytes, equalBytes, hexToU32, PoolError, toDisplayHex } from '@headframe/primitives';
import { asAmount, asArray, asHex, asInteger, asObject, asString, invalidField, own } from './fields.js';
import { isWitnessCommitmentScript, witnessCommitment, witnessCommitmentScript } from './merkle.js';
import { requiredOutputs } from './payees.js';
import { networkTargetBytes } from './target.js';
import type { BlockTemplate, TemplateTransaction } from './types.js';

type Fields = Readonly<Record<string, unknown>>;

const U32_MAX = 0xffffffff;
/** Consensus changes that ask nothing of the one who assembles the block. */
const HARMLESS_RULES: readonly string[] = ['csv', 'taproot', 'testdummy'];
/** A signet challenge that anyone fulfils; others need a signature over each header (BIP 325). */
const OP_TRUE_CHALLENGE = '51';

/**
 * Checks a getblocktemplate answer and turns it into bytes.
 *
 * The witness commitment is used when `rules` says that segwit is active: some nodes send the field before. Where a
 * node sends no `rules` at all, the field decides. A missing commitment is computed if a transaction has a witness.
 *
 * @throws PoolError `invalid_template` naming the field, what it must be and what was found.
 */
export function parseTemplate(gbt: unknown, coin: Coin): BlockTemplate {
  const fields = asObject(gbt, 'template');
  const rules = parseRules(own(fields, 'rules'), coin);
  const nbits = parseBits(own(fields, 'bits'));
  const networkTarget = checkTarget(nbits, own(fields, 'target'));
  const currentTime = asInteger(own(fields, 'curtime'), 'curtime', 0, U32_MAX);
  const transactions = asArray(own(fields, 'transactions'), 'transactions').map(parseTransaction);
  checkSignet(own(fields, 'signet_challenge'));
  const template: BlockTemplate = {
    height: asInteger(own(fields, 'height'), 'height', 0, 0x7fffffff),
    previousHash: asHex(own(fields, 'previousblockhash'), 'previousblockhash', 32).reverse(),
    // RPC prints a signed 32-bit integer.
    version: asInteger(own(fields, 'version'), 'version', -0x80000000, U32_MAX) >>> 0,
    nbits,
    networkTarget,
    currentTime,
    minTime: optionalInteger(fields, 'mintime') ?? currentTime,
    coinbaseValue: asAmount(own(fields, 'coinbasevalue'), 'coinbasevalue'),
    transactions,
    coinbaseAux: parseAux(own(fields, 'coinbaseaux')),
    witnessCommitment: parseCommitment(own(fields, 'default_witness_commitment'), rules, transactions),
    requiredOutputs: requiredOutputs(fields, coin),
    coinbasePayload: optionalBytes(fields, 'coinbase_payload', coin.coinbasePayload, 'coinbasePayload'),
    mweb: optionalBytes(fields, 'mweb', coin.mweb, 'mweb'),
    weightLimit: optionalInteger(fields, 'weightlimit'),
    longPollId: optionalString(fields, 'longpollid'),
    workId: optionalString(fields, 'workid'),
    rules: rules ?? [],
  };
  checkSum(template);
  return template;
}

function parseRules(value: unknown, coin: Coin): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const rules = asArray(value, 'rules').map((rule, i) => asString(rule, `rules[${i}]`));
  for (const rule of rules) {
    if (!rule.startsWith('!')) continue;
    const name = rule.slice(1);
    if (coin.gbtRules.includes(name) || HARMLESS_RULES.includes(name)) continue;
    throw new PoolError(
      'invalid_template',
      `rules: the node demands a client that knows ${JSON.stringify(name.slice(0, 40))}, which ${coin.name} is not defined to use`,
      { details: { path: 'rules' } },
    );
  }
  return rules;
}

function hasRule(rules: readonly string[], name: string): boolean {
  return rules.includes(name) || rules.includes(`!${name}`);
}

function parseBits(value: unknown): number {
  const nbits = typeof value === 'string' && value.length === 8 ? hexToU32(value) : -1;
  if (nbits < 0) throw invalidField('bits', '8 hex digits', value);
  return nbits;
}

function checkTarget(nbits: number, value: unknown): Uint8Array {
  const networkTarget = networkTargetBytes(nbits);
  if (networkTarget === undefined) throw invalidField('bits', 'a positive target below 2^256', nbits.toString(16));
  if (value === undefined || value === null) return networkTarget;
  const given = asHex(value, 'target', 32).reverse();
  if (!equalBytes(given, networkTarget)) {
    throw invalidField('target', `the target of bits (${toDisplayHex(networkTarget)})`, toDisplayHex(given));
  }
  return networkTarget;
}

function parseTransaction(value: unknown, index: number): TemplateTransaction {
  const path = `transactions[${index}]`;
  const fields = asObject(value, path);
  const data = asHex(own(fields, 'data'), `${path}.data`);
  if (data.length === 0) throw invalidField(`${path}.data`, 'a transaction', '');
  // Chains without segwit have no txid: there the hash is the id.
  const hash = own(fields, 'hash');
  const txid = asHex(own(fields, 'txid') ?? hash, `${path}.txid`, 32).reverse();
  const fee = own(fields, 'fee');
  return {
    data,
    txid,
    hash: hash === undefined || hash === null ? txid : asHex(hash, `${path}.hash`, 32).reverse(),
    fee: fee === undefined || fee === null ? undefined : asAmount(fee, `${path}.fee`),
    weight: optionalInteger(fields, 'weight', `${path}.weight`),
  };
}

function parseAux(value: unknown): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array(0);
  const aux = asObject(value, 'coinbaseaux');
  return concatBytes(...Object.keys(aux).map((key) => asHex(aux[key], `coinbaseaux.${key.slice(0, 40)}`)));
}

function parseCommitment(
  value: unknown,
  rules: readonly string[] | undefined,
  transactions: readonly TemplateTransaction[],
): Uint8Array | undefined {
  const given = value !== undefined && value !== null;
  if (rules === undefined ? !given : !hasRule(rules, 'segwit')) return undefined;
  if (!given) {
    if (transactions.every(({ txid, hash }) => equalBytes(txid, hash))) return undefined;
    return witnessCommitmentScript(witnessCommitment(transactions.map(({ hash }) => hash)));
  }
  const script = asHex(value, 'default_witness_commitment');
  if (!isWitnessCommitmentScript(script)) {
    throw invalidField('default_witness_commitment', 'a script that begins with 6a24aa21a9ed', value);
  }
  return script;
}

/** Bytes that only some coins have. Present where the coin does not expect them, the block would be wrong. */
function optionalBytes(fields: Fields, key: string, expected: boolean, flag: string): Uint8Array | undefined {
  const value = own(fields, key);
  if (value === undefined || value === null || value === '') return undefined;
  if (!expected) {
    throw new PoolError('invalid_template', `${key} is present, but the coin definition does not set ${flag}`, {
      details: { path: key },
    });
  }
  return asHex(value, key);
}

function optionalInteger(fields: Fields, key: string, path = key): number | undefined {
  const value = own(fields, key);
  return value === undefined || value === null ? undefined : asInteger(value, path, 0, U32_MAX);
}

function optionalString(fields: Fields, key: string): string | undefined {
  const value = own(fields, key);
  return value === undefined || value === null ? undefined : asString(value, key);
}

function checkSignet(challenge: unknown): void {
  if (challenge === undefined || challenge === null || challenge === OP_TRUE_CHALLENGE) return;
  throw invalidField(
    'signet_challenge',
    '51 (OP_TRUE): blocks of other signets need a signature per header',
    challenge,
  );
}

function checkSum(template: BlockTemplate): void {
  let required = 0n;
  for (const { amount } of template.requiredOutputs) required += amount;
  if (required > template.coinbaseValue) {
    throw new PoolError(
      'invalid_template',
      `prescribed outputs come to ${required}, but coinbasevalue is ${template.coinbaseValue}`,
      { details: { path: 'coinbasevalue' } },
    );
  }
  // Litecoin: the extension block hangs on the last transaction, the HogEx.
  if (template.mweb && template.transactions.length === 0) {
    throw new PoolError('invalid_template', 'mweb is present, but there is no transaction to carry it', {
      details: { path: 'mweb' },
    });
  }
}
