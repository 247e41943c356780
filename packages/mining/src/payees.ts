import { type Coin, decodeAddress, type PayeeRule } from '@headframe/coins';
import { errorMessage, PoolError } from '@headframe/primitives';
import { asAmount, asHex, asObject, asString, invalidField, own } from './fields.js';
import type { RequiredOutput } from './types.js';

type Fields = Readonly<Record<string, unknown>>;

/** Outputs that the template prescribes, by the rules of the coin, in the order of the rules. */
export function requiredOutputs(template: Fields, coin: Coin): readonly RequiredOutput[] {
  return coin.payees.flatMap((rule) =>
    rule.kind === 'flat' ? flatPayee(template, rule, coin) : listedPayees(template, rule, coin),
  );
}

function listedPayees(
  template: Fields,
  rule: Extract<PayeeRule, { kind: 'array-or-object' }>,
  coin: Coin,
): RequiredOutput[] {
  let value: unknown = template;
  for (const step of rule.key.split('.')) {
    if (value === undefined || value === null) return [];
    value = own(asObject(value, rule.key), step);
  }
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((entry, i) => {
    const path = Array.isArray(value) ? `${rule.key}[${i}]` : rule.key;
    const payee = asObject(entry, path);
    // Nodes write an empty object when nobody is to be paid in this block.
    if (Object.keys(payee).length === 0) return [];
    return output(payee, `${path}.`, rule, coin);
  });
}

function flatPayee(template: Fields, rule: Extract<PayeeRule, { kind: 'flat' }>, coin: Coin): RequiredOutput[] {
  if (rule.unless.some((key) => own(template, key) !== undefined)) return [];
  const payee = own(template, rule.payeeKey);
  const script = rule.scriptKey === undefined ? undefined : own(template, rule.scriptKey);
  if ((payee === undefined || payee === null || payee === '') && script === undefined) return [];
  return output(template, '', rule, coin);
}

function output(
  payee: Fields,
  prefix: string,
  rule: { readonly amountKey: string; readonly scriptKey?: string | undefined; readonly payeeKey: string },
  coin: Coin,
): RequiredOutput[] {
  const amount = asAmount(own(payee, rule.amountKey), `${prefix}${rule.amountKey}`);
  if (amount === 0n) return [];
  const script = rule.scriptKey === undefined ? undefined : own(payee, rule.scriptKey);
  if (script !== undefined && script !== null && script !== '') {
    return [{ script: asHex(script, `${prefix}${rule.scriptKey}`), amount }];
  }
  const address = own(payee, rule.payeeKey);
  if (address === undefined)
    throw invalidField(`${prefix}${rule.payeeKey}`, 'an address, as there is no script', address);
  return [
    {
      script: addressScript(coin, asString(address, `${prefix}${rule.payeeKey}`), `${prefix}${rule.payeeKey}`),
      amount,
    },
  ];
}

function addressScript(coin: Coin, address: string, path: string): Uint8Array {
  try {
    return decodeAddress(coin, address).script;
  } catch (error) {
    throw new PoolError('invalid_template', `${path}: ${errorMessage(error)}`, { details: { path }, cause: error });
  }
}
