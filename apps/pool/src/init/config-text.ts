import { type Answers, isCustodial } from './questions.js';

/** One member of the file: the comment above it, the key, and the value or the members of an object. */
interface Member {
  readonly comment?: string;
  readonly key: string;
  readonly value: unknown;
}

class Raw {
  readonly members: readonly Member[];
  constructor(members: readonly Member[]) {
    this.members = members;
  }
}

const group = (...members: readonly (Member | undefined)[]): Raw =>
  new Raw(members.filter((member) => member !== undefined));

function render(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const items = value.map((item) => `${indent}  ${render(item, `${indent}  `)}`);
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  if (!(value instanceof Raw)) return JSON.stringify(value);
  const lines = value.members.map(({ comment, key, value: inner }, at) => {
    const above = comment === undefined ? '' : `${indent}  // ${comment.replaceAll('\n', `\n${indent}  // `)}\n`;
    const comma = at === value.members.length - 1 ? '' : ',';
    return `${above}${indent}  ${JSON.stringify(key)}: ${render(inner, `${indent}  `)}${comma}`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function daemon(answers: Answers): Raw {
  const login = answers.get('login');
  const password = answers.get('node-password');
  return group(
    { key: 'url', value: answers.get('node') },
    login === 'cookie' ? { key: 'cookieFile', value: answers.get('cookie-file') } : undefined,
    login === 'password' ? { key: 'user', value: answers.get('node-user') } : undefined,
    login === 'password' && password !== undefined && password !== ''
      ? { key: 'password', value: password, comment: 'Safer in the environment: HEADFRAME_DAEMONS__0__PASSWORD' }
      : undefined,
  );
}

function payout(answers: Answers): Raw {
  const wallet = answers.get('wallet') ?? '';
  const custodial = isCustodial(answers);
  return group(
    { key: 'scheme', value: answers.get('scheme') },
    {
      key: 'address',
      value: answers.get('address'),
      ...(custodial && { comment: 'Rewards arrive here; an address of the wallet that pays.' }),
    },
    Number(answers.get('fee')) > 0
      ? {
          key: 'fees',
          value: [
            group(
              { key: 'address', value: answers.get('fee-address') },
              { key: 'percent', value: Number(answers.get('fee')) },
            ),
          ],
        }
      : undefined,
    answers.get('payments') === 'yes'
      ? {
          key: 'payments',
          comment: 'The wallet is on the first node above; other nodes and logins: wallet.url, wallet.cookieFile ...',
          value: group(
            {
              key: 'wallet',
              value: group(
                { key: 'type', value: answers.get('wallet-type') },
                wallet === '' ? undefined : { key: 'name', value: wallet },
              ),
            },
            { key: 'minimum', value: answers.get('minimum'), comment: 'Least payment, in coins.' },
            {
              key: 'approval',
              value: answers.get('approval'),
              comment: 'manual: runs only plan; `headframe payouts approve ID` pays.',
            },
          ),
        }
      : undefined,
  );
}

function api(answers: Answers): Raw {
  const tokenFile = answers.get('admin-token-file') ?? '';
  return group(
    { key: 'host', value: answers.get('api-host') },
    { key: 'port', value: Number(answers.get('api-port')) },
    { key: 'name', value: answers.get('pool-name') },
    tokenFile === '' ? undefined : { key: 'adminTokenFile', value: tokenFile },
  );
}

/** The configuration file that the answers are: JSON with comments. */
export function configText(answers: Answers): string {
  const members = group(
    { key: 'coin', value: answers.get('coin') },
    { key: 'network', value: answers.get('network') },
    {
      key: 'daemons',
      comment: 'Nodes, the preferred one first. Blocks are submitted to every one.',
      value: [daemon(answers)],
    },
    { key: 'payout', value: payout(answers) },
    {
      key: 'listeners',
      comment:
        'Ports that miners connect to. With TLS: "tls": { "certFile": "...", "keyFile": "..." }\n' +
        '"difficulty" as a number is fixed; as an object it adapts to a share every "target" seconds.',
      value: [
        group(
          { key: 'host', value: answers.get('host') },
          { key: 'port', value: Number(answers.get('port')) },
          {
            key: 'difficulty',
            value: group({ key: 'start', value: Number(answers.get('difficulty')) }, { key: 'target', value: 15 }),
          },
        ),
      ],
    },
    {
      key: 'dataFolder',
      comment: 'Block journal, and the database if it is SQLite. Back it up: docs/operations.',
      value: answers.get('data-folder'),
    },
    { key: 'storage', value: group({ key: 'url', value: answers.get('storage') }) },
    answers.get('api') === 'yes'
      ? { key: 'api', comment: 'Dashboard, HTTP API and metrics.', value: api(answers) }
      : undefined,
    { key: 'log', value: group({ key: 'level', value: 'info' }) },
  );
  return `// Written by \`headframe init\`. All keys: docs/reference/config.md. Every key can also be set by an environment
// variable, e.g. HEADFRAME_LISTENERS__0__PORT=3333. What this file would do: \`headframe check --config FILE\`.
${render(members, '')}
`;
}

/** True when the text must not be read by others. */
export function hasSecret(answers: Answers): boolean {
  return (
    (answers.get('node-password') ?? '') !== '' || /^postgres(ql)?:\/\/[^@]*:[^@]*@/.test(answers.get('storage') ?? '')
  );
}
