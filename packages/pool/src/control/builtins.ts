import { PoolError } from '@headframe/primitives';
import { BAN_SCOPES, type ListedScope } from '@headframe/sessions';
import { z } from 'zod';
import { type PoolAdmin, toPlain } from '../admin.js';
import type { Readiness } from '../readiness.js';
import type { TaskState } from '../tasks.js';
import { LOGIN_METHOD } from './dispatcher.js';
import type { ControlCall, ControlMethods } from './methods.js';
import type { Notification } from './notification.js';

/** What the built-in methods work with. */
export interface BuiltinParts {
  readonly admin: PoolAdmin;
  readonly readiness: Readiness;
  tasks(): TaskState[];
  /** What `pool.status` tells. */
  status(): unknown;
  /** Takes a notification of a node. */
  notify(notification: Notification): void;
}

/** A method of the table: what the reference page shows, and what it does. */
export interface Builtin {
  readonly name: string;
  readonly summary: string;
  /** Undefined: none. */
  readonly params: z.ZodType | undefined;
  /** What it answers. */
  readonly answer: string;
  /** Names of the params where they come as a list. */
  readonly positional: readonly string[];
  readonly timeoutMs?: number;
  /** Puts it into a registry. */
  readonly expose: (methods: ControlMethods, parts: BuiltinParts) => void;
}

/** A payment run signs and sends many transactions, one after the other. */
const PAYOUT_MS = 100_000;

function builtin<Shape extends z.ZodRawShape>(
  about: { readonly name: string; readonly summary: string; readonly answer: string; readonly timeoutMs?: number },
  shape: Shape,
  run: (parts: BuiltinParts, params: z.output<z.ZodObject<Shape, z.core.$strict>>, call: ControlCall) => unknown,
): Builtin {
  const params = z.strictObject(shape);
  const positional = Object.keys(shape);
  const { summary, timeoutMs } = about;
  return {
    ...about,
    params: positional.length === 0 ? undefined : params,
    positional,
    expose: (methods, parts) => {
      methods.expose<z.output<typeof params>>(
        about.name,
        params,
        async (given, call) => toPlain(await run(parts, given, call)),
        { summary, positional, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
      );
    },
  };
}

const sessionId = z.int().min(0).describe('Id of a connection.');
const scope = z.enum(BAN_SCOPES as readonly [ListedScope, ...ListedScope[]]).describe('What `key` is.');
const banKey = z.string().min(1).max(200).describe('Address, CIDR, account key, or full name of a worker.');
const account = z.string().min(1).max(200).describe('Key of an account.');
const payment = z.string().min(1).max(64).describe('Id of a payment.');
const page = {
  limit: z.int().min(1).max(1000).default(100).describe('Most connections.'),
  after: z.int().min(-1).default(-1).describe('Only ids above it: the last of the page before.'),
};
const host = z.string().regex(/^[A-Za-z0-9.:[\]-]{1,255}$/, 'must be a host name or address');

const connections = (name: string): Builtin =>
  builtin(
    { name, summary: 'Connections of miners, by id.', answer: '`{ items, hasMore }`' },
    page,
    ({ admin }, { limit, after }) => admin.connections(limit, after),
  );

const notification = (type: Notification['type'], summary: string, what: string): Builtin =>
  builtin(
    { name: `mining.${type}`, summary, answer: '`true`' },
    {
      data: z.string().max(4_096).default('').describe(what),
      source: z.string().max(64).default('').describe('Which node says so.'),
    },
    ({ notify }, { data, source }) => {
      notify({ type, data, source });
      return true;
    },
  );

const done = <Value>(_value: Value): true => true;

/** Every built-in method, in the order of the reference page. */
export const BUILTINS: readonly Builtin[] = [
  connections('mining.connections'),
  notification('block', 'A node has a new block: asks for a template at once.', 'Hash of the block (%s).'),
  notification('wallet', 'The wallet has a new transaction.', 'Id of the transaction (%s).'),
  notification('alert', 'A node warns.', 'Text (%s).'),

  builtin(
    { name: 'pool.status', summary: 'What is going on.', answer: 'nodes, job, counters, readiness, tasks' },
    {},
    ({ status, readiness, tasks }) => ({
      ...Object(status()),
      readiness: readiness.list(),
      tasks: tasks(),
    }),
  ),
  builtin({ name: 'pool.pause', summary: 'Turns new miners away.', answer: '`{ isPaused }`' }, {}, ({ admin }) => ({
    isPaused: admin.setPaused(true),
  })),
  builtin({ name: 'pool.resume', summary: 'Lets new miners in again.', answer: '`{ isPaused }`' }, {}, ({ admin }) => ({
    isPaused: admin.setPaused(false),
  })),
  builtin({ name: 'pool.template', summary: 'Asks the nodes for a template now.', answer: '`true`' }, {}, ({ admin }) =>
    done(admin.refreshTemplate()),
  ),
  builtin(
    { name: 'pool.logLevel', summary: 'Changes what is logged, until the next start.', answer: '`true`' },
    { level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).describe('Least level shown.') },
    ({ admin }, { level }) => done(admin.setLogLevel(level)),
  ),
  builtin(
    {
      name: 'pool.reload',
      summary: 'Reads the configuration again and takes over what can change.',
      answer: '`{ applied, needsRestart }`',
    },
    {},
    ({ admin }) => admin.reload(),
  ),
  builtin(
    { name: 'readiness.set', summary: 'Says how something is that `/readyz` waits for.', answer: '`true`' },
    {
      name: z.string().min(1).max(64).describe('A name of your own.'),
      isOk: z.boolean().describe('False: the pool is not ready.'),
      reason: z.string().max(200).optional().describe('Why not.'),
    },
    ({ readiness }, { name, isOk, reason }) => done(readiness.set(name, isOk, reason)),
  ),

  connections('sessions.list'),
  builtin(
    { name: 'sessions.kick', summary: 'Closes a connection.', answer: '`true`' },
    { session: sessionId },
    ({ admin }, { session }) => done(admin.kick(session)),
  ),
  builtin(
    {
      name: 'sessions.difficulty',
      summary: 'Fixes the difficulty of a connection, within the range of its listener.',
      answer: '`{ session, difficulty }`: what it became',
    },
    { session: sessionId, difficulty: z.number().positive().max(1e15).describe('Difficulty.') },
    ({ admin }, { session, difficulty }) => ({ session, difficulty: admin.setDifficulty(session, difficulty) }),
  ),
  builtin(
    {
      name: 'sessions.reconnect',
      summary: 'Asks one miner or all to come back, here or elsewhere. Many ignore it.',
      answer: '`{ sessions }`: how many were told',
    },
    {
      session: sessionId.nullish().describe('Default: every connection.'),
      host: host.optional().describe('Where to; goes with `port`.'),
      port: z.int().min(1).max(65_535).optional().describe('Where to; goes with `host`.'),
      waitSeconds: z.int().min(0).max(3600).default(0).describe('How long to wait first.'),
    },
    ({ admin }, { session, host: to, port, waitSeconds }) => {
      if ((to === undefined) !== (port === undefined)) {
        throw new PoolError('invalid_argument', 'host and port go together');
      }
      const target = to === undefined || port === undefined ? undefined : { host: to, port, waitSeconds };
      return { sessions: admin.reconnect({ session: session ?? undefined, target }) };
    },
  ),
  builtin(
    { name: 'sessions.message', summary: 'Shows a text on all miners.', answer: '`{ sessions }`: how many were told' },
    { text: z.string().min(1).max(500).describe('The text.') },
    ({ admin }, { text }) => ({ sessions: admin.message(text) }),
  ),

  builtin(
    { name: 'bans.list', summary: 'Bans in force, the oldest first.', answer: '`{ items }`' },
    {},
    ({ admin }) => ({ items: admin.bans() }),
  ),
  builtin(
    { name: 'bans.add', summary: 'Bans, and closes the connections concerned.', answer: 'the ban in force' },
    {
      scope,
      key: banKey,
      seconds: z.number().positive().max(315_360_000).optional().describe('Default: `bans.seconds`.'),
      reason: z.string().min(1).max(200).default('by hand').describe('For the log.'),
    },
    ({ admin }, { scope: of, key, seconds, reason }) => admin.ban(of, key, { reason, seconds }),
  ),
  builtin(
    { name: 'bans.remove', summary: 'Ends a ban.', answer: '`true`' },
    { scope, key: banKey },
    ({ admin }, { scope: of, key }) => done(admin.unban(of, key)),
  ),

  builtin(
    { name: 'accounts.settings', summary: 'Settings of an account.', answer: 'the settings; amounts in coins' },
    { account },
    ({ admin }, params) => admin.settings(params.account),
  ),
  builtin(
    {
      name: 'accounts.change',
      summary: 'Changes settings of an account. What is left out stays, null takes back.',
      answer: 'the settings',
    },
    {
      account,
      address: z.string().min(1).max(120).nullish().describe('Where it is paid.'),
      minimumPayout: z.string().max(40).nullish().describe('Least payment in coins, as text.'),
      donationPercent: z.number().min(0).max(100).optional().describe('Part it gives to the pool.'),
      isHeld: z.boolean().optional().describe('True: nothing is paid out.'),
    },
    ({ admin }, { account: key, ...change }) => admin.changeSettings(key, change),
  ),

  builtin(
    {
      name: 'payouts.status',
      summary: 'Wallet, schedule and payments under way.',
      answer: 'the status; base units as text',
    },
    {},
    ({ admin }) => admin.payouts.status(),
  ),
  builtin(
    { name: 'payouts.plan', summary: 'What a run would pay now.', answer: 'the plan; base units as text' },
    {},
    ({ admin }) => admin.payouts.plan(),
  ),
  builtin(
    {
      name: 'payouts.run',
      summary: 'Pays what is due; with manual approval only plans it.',
      answer: 'what was planned or paid',
      timeoutMs: PAYOUT_MS,
    },
    {},
    ({ admin }) => admin.payouts.run(),
  ),
  builtin(
    {
      name: 'payouts.approve',
      summary: 'Approves a payment that waits for it.',
      answer: 'the payment',
      timeoutMs: PAYOUT_MS,
    },
    { id: payment },
    ({ admin }, { id }) => admin.payouts.approve(id),
  ),
  builtin(
    { name: 'payouts.cancel', summary: 'Cancels a payment that is not signed.', answer: 'the payment' },
    { id: payment, reason: z.string().min(1).max(200).default('by hand').describe('For the books.') },
    ({ admin }, { id, reason }) => admin.payouts.cancel(id, reason),
  ),
  builtin(
    {
      name: 'payouts.reconcile',
      summary: 'Asks the chain about every payment under way.',
      answer: '`{ checked, changed }`',
      timeoutMs: PAYOUT_MS,
    },
    {},
    ({ admin }) => admin.payouts.reconcile(),
  ),
];

/** What is documented beside the built-in methods. */
export const LOGIN: Pick<Builtin, 'name' | 'summary' | 'answer'> = {
  name: LOGIN_METHOD,
  summary: 'Brings the secret: `[SECRET]` or `{"secret": SECRET}`, a token or the password. Not over HTTP.',
  answer: '`true`',
};

/** Adds the built-in methods and `control.methods`. */
export function exposeBuiltins(methods: ControlMethods, parts: BuiltinParts): void {
  for (const method of BUILTINS) method.expose(methods, parts);
  methods.expose(
    'control.methods',
    undefined,
    () => methods.list().map(({ name, summary = '', positional }) => ({ name, summary, params: positional ?? null })),
    { summary: 'Lists the methods.' },
  );
}
