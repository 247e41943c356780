import { randomBytes } from 'node:crypto';
import { access, chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseConfig, setUp } from '@headframe/pool';
import { errorMessage, isPoolError, PoolError } from '@headframe/primitives';
import { parse as parseJsonc } from 'jsonc-parser';
import { type Args, type Command, type OptionHelp, UsageError } from '../args.js';
import { EXIT } from '../exit-codes.js';
import { configText, hasSecret } from '../init/config-text.js';
import { type Asker, interview } from '../init/interview.js';
import { type NodeFinding, probeNode } from '../init/node-probe.js';
import { type Answers, coinOf, cookieFiles, isCustodial, QUESTIONS } from '../init/questions.js';
import { plainText } from '../table.js';

const DEFAULT_FILE = 'pool.jsonc';

function questionOptions(): Record<string, OptionHelp> {
  return Object.fromEntries(
    QUESTIONS.map(({ name, value, help }): [string, OptionHelp] => [name, { type: 'string', value, help }]),
  );
}

/** Asks what a pool needs and writes its configuration. */
export const init: Command = {
  name: 'init',
  summary: 'Ask what a pool needs and write its configuration.',
  positionals: { usage: '[FILE]', max: 1 },
  options: {
    yes: { type: 'boolean', short: 'y', help: 'Ask nothing: take the defaults for what is not given.' },
    force: { type: 'boolean', help: 'Overwrite FILE.' },
    'skip-node': { type: 'boolean', help: 'Do not try the node.' },
    ...questionOptions(),
  },
  details: `
FILE is ${DEFAULT_FILE} by default. Every question has an option; what is given is not asked. Where there is no terminal, nothing
is asked, as with --yes. The node is tried on the way and what was found is told; a node that is away stops nothing.`,
  run: (args) => runInit(args),
};

async function runInit(args: Args): Promise<number> {
  const [file = DEFAULT_FILE] = args.positionals;
  const isForced = args.flag('force');
  if (!isForced && (await exists(file))) throw new UsageError(`${file} is there already; --force overwrites it`);
  const given = new Map<string, string>();
  for (const { name } of QUESTIONS) {
    const text = args.text(name);
    if (text !== undefined) given.set(name, text);
  }
  const isInteractive = process.stdin.isTTY === true && process.stdout.isTTY === true && !args.flag('yes');
  const mayTry = !args.flag('skip-node');
  const asker = isInteractive ? await personAsker(mayTry) : undefined;
  const answers = await interview({ given, file, asker });
  if (answers === undefined) {
    process.stderr.write('Given up; nothing was written.\n');
    return EXIT.failure;
  }
  if (!isInteractive && mayTry) process.stderr.write(await tryNode(answers).then(({ text }) => text));
  const text = configText(answers);
  checkText(text);
  await writeAll(file, text, answers, isForced);
  process.stdout.write(nextSteps(file, answers));
  return EXIT.ok;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The prompts are loaded only where somebody is asked. */
async function personAsker(mayTry: boolean): Promise<Asker> {
  const { log } = await import('@clack/prompts');
  const { terminalAsker } = await import('../init/terminal-asker.js');
  // After these answers everything about the node is known.
  const last = ['cookie-file', 'node-password'];
  return {
    ask: terminalAsker.ask,
    answered: async (question, { answers }) => {
      const isNodeKnown =
        last.includes(question.name) || (question.name === 'login' && answers.get('login') === 'none');
      if (!mayTry || !isNodeKnown) return undefined;
      const { text, isGood, isLogin } = await tryNode(answers);
      if (isGood) log.success(text.trim());
      else log.warn(text.trim());
      // A wrong login is asked for again; a node that is away may come later.
      return isLogin ? 'login' : undefined;
    },
  };
}

async function tryNode(
  answers: Answers,
): Promise<{ readonly text: string; readonly isGood: boolean; readonly isLogin: boolean }> {
  const url = answers.get('node') ?? '';
  const finding = await probeNode({
    url,
    cookieFile: answers.get('cookie-file'),
    user: answers.get('node-user'),
    password: answers.get('node-password') || process.env.HEADFRAME_DAEMONS__0__PASSWORD,
  });
  const isLogin = finding.kind === 'problem' && finding.isLogin && answers.get('node-password') !== '';
  return { text: `${plainText(findingText(url, finding, answers))}\n`, isGood: finding.kind === 'found', isLogin };
}

function findingText(url: string, finding: NodeFinding, answers: Answers): string {
  const coin = coinOf(answers);
  if (finding.kind === 'problem') {
    const [cookie] = cookieFiles(coin);
    const isHint = finding.isLogin && cookie !== undefined && cookie !== answers.get('cookie-file');
    return `The node at ${url} cannot be used yet: ${finding.reason}.${isHint ? ` There is a cookie file: ${cookie}.` : ''}`;
  }
  const { version, chain, height, isSyncing } = finding;
  const aliases: Readonly<Record<string, string>> = { mainnet: 'main', testnet: 'test', testnet3: 'test' };
  const isOther = chain !== '' && (aliases[chain] ?? chain) !== coin.network;
  return `Found ${version} at ${url}: ${chain || 'network unknown'}, height ${height}${isSyncing ? ', still syncing' : ''}.${
    isOther ? ` It is on ${chain}, but the pool is for ${coin.network}: one of them is wrong.` : ''
  }`;
}

/** What the questions let through must be a configuration; where not, the file is not written. */
function checkText(text: string): void {
  try {
    setUp(parseConfig(parseJsonc(text)));
  } catch (error) {
    if (!isPoolError(error, 'invalid_config')) throw error;
    throw new UsageError(error.message.replace('the configuration is not valid', 'these answers do not go together'));
  }
}

async function writeAll(file: string, text: string, answers: Answers, isForced: boolean): Promise<void> {
  const tokenFile = answers.get('admin-token-file') ?? '';
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
    const mode = hasSecret(answers) ? 0o600 : 0o644;
    await writeFile(file, text, { flag: isForced ? 'w' : 'wx', mode });
    // The mode of writeFile is for new files only.
    if (isForced) await chmod(file, mode);
    if (tokenFile === '') return;
    await mkdir(dirname(resolve(tokenFile)), { recursive: true });
    // A token that is there stays: somebody may be using it.
    await writeFile(tokenFile, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 }).catch(
      (error: unknown) => {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      },
    );
  } catch (error) {
    throw new PoolError('storage_failed', `cannot write: ${errorMessage(error)}`, { cause: error });
  }
}

function nextSteps(file: string, answers: Answers): string {
  const tokenFile = answers.get('admin-token-file') ?? '';
  const lines = [
    `Wrote ${file}${hasSecret(answers) ? ', readable by you alone for the password in it' : ''}.`,
    ...(tokenFile === '' ? [] : [`The admin token is in ${tokenFile}.`]),
    ...(isCustodial(answers)
      ? ['Rewards go to the address above: make sure that it belongs to the wallet that pays.']
      : []),
    ...(answers.get('login') === 'password' &&
    answers.get('node-password') === '' &&
    process.env.HEADFRAME_DAEMONS__0__PASSWORD === undefined
      ? ['Set HEADFRAME_DAEMONS__0__PASSWORD to the password of the node.']
      : []),
    '',
    `  headframe check --config ${file}    what it would do`,
    `  headframe start --config ${file}    run it`,
  ];
  return `${lines.join('\n')}\n`;
}
