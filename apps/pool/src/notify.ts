// `headframe notify`: started by a node for every block, so it loads nothing but this file and what Node has loaded
// itself anyway. Nothing may be imported here but node:net and node:fs.
import { readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';

const HELP = `Usage: headframe notify --type block|wallet|alert --data TEXT [options]

Tell a running pool what a node has to say; for -blocknotify=, -walletnotify= and -alertnotify=.

Options:
  --type TYPE        block, wallet or alert
  --data TEXT        what the node puts in place of %s
  --source TEXT      which node it is
  --host HOST        of the control port (default 127.0.0.1)
  --port PORT        of the control port (default 8090)
  --socket PATH      the UNIX socket of the pool, in place of host and port; it needs no token
  --token-file FILE  file with the token; else HEADFRAME_CONTROL_TOKEN
  --timeout SECONDS  give up after so long (default 5)
  -h, --help         Show this help.

Secrets are never taken from the command line, where every user of the machine can read them.
Exit codes: 0 the pool has it, 1 it refused, 64 wrong command line, 69 no pool answers, 77 wrong or missing token.
`;

const EXIT = { ok: 0, failure: 1, usage: 64, unavailable: 69, denied: 77 } as const;
const TYPES = ['block', 'wallet', 'alert'];
const NAMES = ['type', 'data', 'source', 'host', 'port', 'socket', 'token-file', 'timeout'];
const MAX_REPLY_BYTES = 65_536;
/** Numbers of the errors `unauthorized` and `failures` of the control RPC. */
const DENIED = [-32001, -32002];

interface Output {
  write(text: string): unknown;
}

interface Streams {
  readonly out: Output;
  readonly error: Output;
}

/** Asked for only when there is something to say: Node loads a part of itself for it. */
const CONSOLE: Streams = {
  get out() {
    return process.stdout;
  },
  get error() {
    return process.stderr;
  },
};

interface Options {
  readonly type: string;
  readonly data: string;
  readonly source: string;
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly token: string | undefined;
  readonly timeoutMs: number;
}

/** Where a notification goes and what it says; a text tells what is wrong with the command line. */
function readOptions(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Options | string {
  const given = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const [, name = '', inline] = /^--([a-z-]+)(?:=([\s\S]*))?$/.exec(argv[i] ?? '') ?? [];
    if (!NAMES.includes(name)) return name === '' ? 'arguments begin with --' : `there is no option --${name}`;
    const value = inline ?? argv[++i];
    if (value === undefined) return `--${name} needs a value`;
    given.set(name, value);
  }
  const type = given.get('type') ?? '';
  const port = Number(given.get('port') ?? 8090);
  const seconds = Number(given.get('timeout') ?? 5);
  const data = given.get('data');
  if (!TYPES.includes(type)) return `--type must be one of ${TYPES.join(', ')}`;
  if (data === undefined) return '--data is needed';
  if (!(Number.isInteger(port) && port > 0 && port < 65_536)) return '--port must be a number from 1 to 65535';
  if (!(seconds > 0 && seconds <= 3600)) return '--timeout must be a number of seconds up to 3600';
  let token = env.HEADFRAME_CONTROL_TOKEN;
  const file = given.get('token-file');
  if (file !== undefined) {
    try {
      token = readFileSync(file, 'utf8').trim();
    } catch (error) {
      return `--token-file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return {
    type,
    data: data.slice(0, 4096),
    source: (given.get('source') ?? '').slice(0, 64),
    host: given.get('host') ?? '127.0.0.1',
    port,
    socket: given.get('socket'),
    token: token === '' ? undefined : token,
    timeoutMs: seconds * 1000,
  };
}

/** What there is to say, one line each: the secret first, if there is one. */
function requestLines({ type, data, source, token }: Options): string {
  const call = { jsonrpc: '2.0', id: 2, method: `mining.${type}`, params: { data, source } };
  const login = { jsonrpc: '2.0', id: 1, method: 'control.login', params: { secret: token } };
  return `${token === undefined ? '' : `${JSON.stringify(login)}\n`}${JSON.stringify(call)}\n`;
}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
}

function stranger(output: Streams): number {
  output.error.write('headframe notify: that port does not speak the control RPC: is it control.port of the pool?\n');
  return EXIT.failure;
}

/** The exit code that an answer means; undefined while there is more to come. */
function judge(line: string, output: Streams): number | undefined {
  let answer: Answer | null;
  try {
    answer = JSON.parse(line) as Answer | null;
  } catch {
    return stranger(output);
  }
  const { error } = answer ?? {};
  if (error !== undefined && error !== null) {
    if (typeof error.message !== 'string') return stranger(output);
    output.error.write(`headframe notify: the pool refused: ${error.message.slice(0, 200)}\n`);
    if (!DENIED.includes(Number(error.code))) return EXIT.failure;
    output.error.write('The token comes by --token-file or HEADFRAME_CONTROL_TOKEN; --socket needs none.\n');
    return EXIT.denied;
  }
  return answer?.id === 2 ? EXIT.ok : undefined;
}

function exchange(options: Options, output: Streams): Promise<number> {
  const { socket: path, host, port, timeoutMs } = options;
  const where = path ?? `${host}:${port}`;
  return new Promise((resolve) => {
    const socket: Socket = path === undefined ? createConnection(port, host) : createConnection(path);
    let text = '';
    const finish = (code: number): void => {
      clearTimeout(timer);
      // The end of the connection is no second failure.
      socket.removeAllListeners('close');
      socket.destroy();
      resolve(code);
    };
    const fail = (reason: string): void => {
      output.error.write(`headframe notify: ${where}: ${reason}\n`);
      finish(EXIT.unavailable);
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed without an answer'));
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const code = judge(text.slice(0, end), output);
        text = text.slice(end + 1);
        if (code !== undefined) {
          finish(code);
          return;
        }
      }
      if (text.length > MAX_REPLY_BYTES) fail('the answer is too long');
    });
    socket.write(requestLines(options));
  });
}

/**
 * Carries one notification to a pool. Resolves to the exit code when it has its answer, or gave up; never rejects.
 * @param argv what stands after `notify`
 */
export async function notify(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  output: Streams = CONSOLE,
): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    output.out.write(HELP);
    return EXIT.ok;
  }
  const options = readOptions(argv, env);
  if (typeof options !== 'string') return exchange(options, output);
  output.error.write(`headframe notify: ${options}\nTry \`headframe notify --help\`.\n`);
  return EXIT.usage;
}
