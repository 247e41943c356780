import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { builtinCoins, type Coin, coinNames, decodeAddress, resolveCoin } from '@headframe/coins';
import { PAYOUT_SCHEMES } from '@headframe/pool';
import { errorMessage } from '@headframe/primitives';

/** What was answered so far, by the name of the question. Every answer is text. */
export type Answers = ReadonlyMap<string, string>;

/** Where the file will be; some presets depend on it. */
export interface QuestionContext {
  readonly answers: Answers;
  readonly file: string;
}

/** A question of `headframe init`. Its name is also its option: `--name`. */
export interface Question {
  readonly name: string;
  /** Placeholder of the value in the help. */
  readonly value: string;
  /** What is asked, and what the help says of the option. */
  readonly message: string | ((context: QuestionContext) => string);
  readonly help: string;
  readonly kind: 'text' | 'secret' | 'choice' | 'yes-no';
  choices?(context: QuestionContext): readonly { readonly value: string; readonly hint: string }[];
  /** The answer that others given imply; it is not asked then. */
  implied?(given: Answers): string | undefined;
  /** Asked only then. */
  when?(context: QuestionContext): boolean;
  /** The answer where none is given; undefined: one is needed. */
  preset?(context: QuestionContext): string | undefined;
  /** What is wrong with an answer. */
  problem?(text: string, context: QuestionContext): string | undefined;
}

const get = (context: QuestionContext, name: string): string => context.answers.get(name) ?? '';
const isYes = (context: QuestionContext, name: string): boolean => get(context, name) === 'yes';

/** The coin that was answered. */
export function coinOf(answers: Answers): Coin {
  return resolveCoin(answers.get('coin') ?? '', answers.get('network') ?? '');
}

/** True when rewards are credited to accounts and `address` is the pool wallet's own. */
export function isCustodial(answers: Answers): boolean {
  return answers.get('payments') === 'yes' || !['solo', 'coinbase-split'].includes(answers.get('scheme') ?? '');
}

function addressProblem(text: string, { answers }: QuestionContext): string | undefined {
  try {
    const coin = coinOf(answers);
    const { type } = decodeAddress(coin, text);
    return type === 'witness' ? 'is of a witness version that nobody can own yet' : undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

function portProblem(text: string): string | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? undefined : 'must be a port, 0 to 65535';
}

function percentProblem(text: string): string | undefined {
  return /^\d{1,3}(\.\d{1,4})?$/.test(text) && Number(text) <= 100
    ? undefined
    : 'must be a percentage, 0 to 100, at most four decimals';
}

const needed = (text: string): string | undefined => (text.trim() === '' ? 'is needed' : undefined);

/** Folders below the data folder of a node, by network. */
const NETWORK_FOLDERS: Readonly<Record<string, string>> = { main: '', test: 'testnet3', testnet: 'testnet3' };

/** Cookie files of a node on this machine that exist and might be the right ones. */
export function cookieFiles(coin: Coin): readonly string[] {
  const { name, network } = coin;
  const below = Object.hasOwn(NETWORK_FOLDERS, network) ? (NETWORK_FOLDERS[network] ?? '') : network;
  // Dogecoin and Litecoin name their folders by their own age of the code.
  const folders = network === 'test' ? [below, 'testnet4'] : [below];
  const homes = [join(homedir(), `.${name}`), join('/var/lib', `${name}d`), join('/var/lib', name)];
  return homes
    .flatMap((home) => folders.map((folder) => join(home, folder, '.cookie')))
    .filter((file) => existsSync(file));
}

const YES_NO = [
  { value: 'yes', hint: '' },
  { value: 'no', hint: '' },
];

const SCHEME_HINTS: Readonly<Record<(typeof PAYOUT_SCHEMES)[number], string>> = {
  solo: 'whoever finds a block gets it; for yourself alone, or with payments for many',
  prop: 'by work since the last block; can be hopped',
  pplns: 'by the last work before the block; the usual choice of a public pool',
  pps: 'every share at once; the pool bears the luck and needs a reserve',
  fpps: 'as pps, with transaction fees',
  'coinbase-split': 'as pplns, paid straight in the coinbase; the pool never holds coins',
};

/** In the order in which they are asked; a question sees the answers before it. */
export const QUESTIONS: readonly Question[] = [
  {
    name: 'coin',
    value: 'NAME',
    message: 'Which coin?',
    help: `Coin: ${coinNames().join(', ')}.`,
    kind: 'choice',
    choices: () => coinNames().map((value) => ({ value, hint: builtinCoins[value]?.algorithm ?? '' })),
    preset: () => 'bitcoin',
  },
  {
    name: 'network',
    value: 'NAME',
    message: 'Which network?',
    help: 'Network of the coin: main, test, regtest ...',
    kind: 'choice',
    choices: (context) =>
      Object.keys(builtinCoins[get(context, 'coin')]?.networks ?? {}).map((value) => ({ value, hint: '' })),
    preset: () => 'main',
  },
  {
    name: 'node',
    value: 'URL',
    message: 'RPC address of your node?',
    help: "RPC address of the node; default the coin's port on this machine.",
    kind: 'text',
    preset: ({ answers }) => `http://127.0.0.1:${coinOf(answers).rpcPort}`,
    problem: (text) => (/^https?:\/\/[^/@\s]+\/?$/.test(text) ? undefined : 'must be http://host:port, without login'),
  },
  {
    name: 'login',
    value: 'HOW',
    message: 'How does the pool log in to it?',
    help: 'cookie, password or none. Default: what is given, or a cookie file that is found.',
    kind: 'choice',
    choices: () => [
      { value: 'cookie', hint: 'a file the node writes at each start; nothing to keep secret here' },
      { value: 'password', hint: 'rpcuser and rpcpassword, or rpcauth' },
      { value: 'none', hint: 'the node asks for nothing' },
    ],
    implied: (given) => (given.has('cookie-file') ? 'cookie' : given.has('node-user') ? 'password' : undefined),
    preset: ({ answers }) => (cookieFiles(coinOf(answers)).length > 0 ? 'cookie' : undefined),
  },
  {
    name: 'cookie-file',
    value: 'FILE',
    message: 'Its cookie file?',
    help: "The node's .cookie file.",
    kind: 'text',
    when: (context) => get(context, 'login') === 'cookie',
    preset: ({ answers }) => cookieFiles(coinOf(answers))[0],
    problem: needed,
  },
  {
    name: 'node-user',
    value: 'NAME',
    message: 'RPC user?',
    help: 'RPC user.',
    kind: 'text',
    when: (context) => get(context, 'login') === 'password',
    problem: needed,
  },
  {
    name: 'node-password',
    value: 'TEXT',
    message: 'RPC password? (empty: HEADFRAME_DAEMONS__0__PASSWORD will say it)',
    help: 'RPC password; empty: to be given as HEADFRAME_DAEMONS__0__PASSWORD.',
    kind: 'secret',
    when: (context) => get(context, 'login') === 'password',
    preset: () => '',
  },
  {
    name: 'scheme',
    value: 'NAME',
    message: 'How are rewards divided?',
    help: `Payout scheme: ${PAYOUT_SCHEMES.join(', ')}.`,
    kind: 'choice',
    choices: () => PAYOUT_SCHEMES.map((value) => ({ value, hint: SCHEME_HINTS[value] })),
    preset: () => 'solo',
  },
  {
    name: 'payments',
    value: 'YES|NO',
    message: (context) =>
      get(context, 'scheme') === 'solo'
        ? 'Pay each finder from a wallet of the node? (no: every reward goes to one address of yours)'
        : 'Pay balances from a wallet of the node?',
    help: 'Pay accounts from a wallet of the node. Default: yes, but for solo.',
    kind: 'yes-no',
    when: (context) => get(context, 'scheme') !== 'coinbase-split',
    preset: (context) => (get(context, 'scheme') === 'solo' ? 'no' : 'yes'),
  },
  {
    name: 'wallet-type',
    value: 'TYPE',
    message: 'Which kind of wallet?',
    help: 'core (Bitcoin Core and its kin) or bcoin.',
    kind: 'choice',
    when: (context) => isYes(context, 'payments'),
    choices: () => [
      { value: 'core', hint: 'Bitcoin Core, Litecoin Core, Dogecoin Core ...' },
      { value: 'bcoin', hint: 'the wallet server of bcoin' },
    ],
    preset: () => 'core',
  },
  {
    name: 'wallet',
    value: 'NAME',
    message: 'Name of the wallet? (empty: the only one that is loaded)',
    help: 'Name of the wallet that pays; empty: the only one that is loaded.',
    kind: 'text',
    when: (context) => isYes(context, 'payments'),
    preset: () => '',
  },
  {
    name: 'minimum',
    value: 'COINS',
    message: 'Least payment, in coins?',
    help: 'Least payment in coins.',
    kind: 'text',
    when: (context) => isYes(context, 'payments'),
    preset: () => '0.001',
    problem: (text) => (/^\d{1,10}(\.\d{1,8})?$/.test(text) ? undefined : 'must be an amount like 0.001'),
  },
  {
    name: 'approval',
    value: 'HOW',
    message: 'Who approves payments?',
    help: 'automatic, or manual: a person approves each payment.',
    kind: 'choice',
    when: (context) => isYes(context, 'payments'),
    choices: () => [
      { value: 'automatic', hint: 'paid every hour' },
      { value: 'manual', hint: 'planned every hour, paid after `headframe payouts approve`' },
    ],
    preset: () => 'automatic',
  },
  {
    name: 'address',
    value: 'ADDRESS',
    message: ({ answers }) =>
      isCustodial(answers)
        ? 'An address of that wallet, where rewards arrive?'
        : answers.get('scheme') === 'coinbase-split'
          ? 'Your address, for what nobody else can be given?'
          : 'Address that gets the rewards?',
    help: 'Where rewards go: your own address, or one of the wallet that pays.',
    kind: 'text',
    problem: addressProblem,
  },
  {
    name: 'fee',
    value: 'PERCENT',
    message: 'Pool fee in percent? (0: none)',
    help: 'Pool fee in percent, at most four decimals.',
    kind: 'text',
    preset: () => '0',
    problem: percentProblem,
  },
  {
    name: 'fee-address',
    value: 'ADDRESS',
    message: 'Address that gets the fee?',
    help: 'Who gets the fee.',
    kind: 'text',
    when: (context) => Number(get(context, 'fee')) > 0,
    problem: addressProblem,
  },
  {
    name: 'port',
    value: 'N',
    message: 'Port for miners?',
    help: 'Port that miners connect to.',
    kind: 'text',
    preset: () => '3333',
    problem: portProblem,
  },
  {
    name: 'host',
    value: 'ADDRESS',
    message: 'Address to listen on for miners?',
    help: 'Address to listen on for miners.',
    kind: 'text',
    preset: () => '0.0.0.0',
    problem: needed,
  },
  {
    name: 'difficulty',
    value: 'D',
    message: 'Difficulty that new miners begin with?',
    help: 'Difficulty that new miners begin with; it adapts.',
    kind: 'text',
    preset: () => '1024',
    problem: (text) => (Number(text) > 0 && Number.isFinite(Number(text)) ? undefined : 'must be a number above 0'),
  },
  {
    name: 'data-folder',
    value: 'FOLDER',
    message: 'Folder for data?',
    help: 'Folder of the block journal and the database.',
    kind: 'text',
    preset: ({ file }) => join(dirname(resolve(file)), 'data'),
    problem: needed,
  },
  {
    name: 'storage',
    value: 'URL',
    message: 'Database? (sqlite:FILE or postgres://user:password@host/database)',
    help: 'sqlite:FILE or postgres://user:password@host/database.',
    kind: 'text',
    preset: (context) => `sqlite:${join(get(context, 'data-folder'), 'pool.db')}`,
    problem: (text) =>
      /^(sqlite:.+|postgres(ql)?:\/\/.+)$/.test(text) ? undefined : 'must be sqlite:FILE or postgres://...',
  },
  {
    name: 'api',
    value: 'YES|NO',
    message: 'Serve a web page, an API and metrics?',
    help: 'Serve the dashboard, the HTTP API and metrics.',
    kind: 'yes-no',
    preset: () => 'yes',
  },
  {
    name: 'api-host',
    value: 'ADDRESS',
    message: 'Address of the web page? (127.0.0.1: this machine alone; put a reverse proxy before it for others)',
    help: 'Address to listen on for HTTP.',
    kind: 'text',
    when: (context) => isYes(context, 'api'),
    preset: () => '127.0.0.1',
    problem: needed,
  },
  {
    name: 'api-port',
    value: 'N',
    message: 'Port of the web page?',
    help: 'Port for HTTP.',
    kind: 'text',
    when: (context) => isYes(context, 'api'),
    preset: () => '8080',
    problem: portProblem,
  },
  {
    name: 'pool-name',
    value: 'TEXT',
    message: 'Name of the pool?',
    help: 'Name of the pool on its pages.',
    kind: 'text',
    when: (context) => isYes(context, 'api'),
    preset: () => 'Headframe',
    problem: (text) => (text.length >= 1 && text.length <= 64 ? undefined : 'must be 1 to 64 characters'),
  },
  {
    name: 'admin-token-file',
    value: 'FILE',
    message: 'File for a new admin token? (empty: no admin routes)',
    help: 'A new admin token is written there, readable by you alone; empty: no admin routes.',
    kind: 'text',
    when: (context) => isYes(context, 'api'),
    preset: ({ file }) => join(dirname(resolve(file)), 'admin.token'),
  },
];

/** The choices of a question; undefined where any text may be the answer. */
export function choicesOf(
  question: Question,
  context: QuestionContext,
): readonly { readonly value: string; readonly hint: string }[] | undefined {
  return question.kind === 'yes-no' ? YES_NO : question.choices?.(context);
}

/** What is wrong with an answer; undefined: nothing. */
export function answerProblem(question: Question, text: string, context: QuestionContext): string | undefined {
  const choices = choicesOf(question, context);
  if (choices !== undefined && !choices.some(({ value }) => value === text)) {
    return `must be one of ${choices.map(({ value }) => value).join(', ')}`;
  }
  return question.problem?.(text, context);
}
