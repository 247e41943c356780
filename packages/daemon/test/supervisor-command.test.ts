import { join, resolve } from 'node:path';
import { resolveCoin } from '@headframe/coins';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAEMON_PRESETS, type DaemonDefinition, type SupervisorOptions, supervisedCommand } from '../src/index.js';

const base: SupervisorOptions = { daemon: 'bitcoind', network: 'main', dataDir: '/data/btc' };
const command = (options: Partial<SupervisorOptions> = {}, env: Record<string, string> = {}) =>
  supervisedCommand({ ...base, ...options }, env);
const refused = (options: Partial<SupervisorOptions>, message: RegExp): void => {
  expect(() => command(options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  expect(() => command(options)).toThrow(message);
};

describe('presets', () => {
  it.each([
    ['bitcoind', 'bitcoin', ['main', 'test', 'testnet4', 'signet', 'regtest']],
    ['litecoind', 'litecoin', ['main', 'test', 'regtest']],
    ['dogecoind', 'dogecoin', ['main', 'test', 'regtest']],
    ['namecoind', 'namecoin', ['main', 'test', 'regtest']],
  ] as const)('%s: ports of the coin, a flag and a cookie for each network', (daemon, coin, networks) => {
    expect(Object.keys(DAEMON_PRESETS[daemon].networks).sort()).toEqual([...networks].sort());
    for (const network of networks) {
      const { rpcPort, p2pPort } = resolveCoin(coin, network);
      expect(DAEMON_PRESETS[daemon].networks[network]).toMatchObject({ rpcPort, p2pPort });
      const made = command({ daemon, network });
      expect(made.binary).toBe(daemon);
      expect(made.rpc.url).toBe(`http://127.0.0.1:${rpcPort}`);
      expect(made.args).toContain(`-rpcport=${rpcPort}`);
      if (network !== 'main') expect(made.args.at(-1)).toMatch(/^-(testnet|testnet4|signet|regtest)$/);
    }
  });

  it.each([
    ['bitcoind', 'mainnet', '.cookie'],
    ['bitcoind', 'testnet', 'testnet3/.cookie'],
    ['bitcoind', 'testnet4', 'testnet4/.cookie'],
    ['bitcoind', 'signet', 'signet/.cookie'],
    ['litecoind', 'test', 'testnet4/.cookie'],
    ['dogecoind', 'test', 'testnet3/.cookie'],
    ['namecoind', 'regtest', 'regtest/.cookie'],
  ] as const)('%s on %s has its cookie in %s', (daemon, network, path) => {
    expect(command({ daemon, network }).rpc.cookieFile).toBe(join('/data/btc', path));
  });

  it('names those there are when asked for another, and the networks there are', () => {
    refused({ daemon: 'eierd' }, /bitcoind, litecoind, dogecoind, namecoind/);
    refused({ network: 'signet', daemon: 'litecoind' }, /it has main, regtest, test/);
    refused({ network: 'constructor' }, /no network/);
    refused({ daemon: 'toString' }, /no preset/);
  });
});

describe('the command line', () => {
  it('keeps the node in the foreground, whatever its own file says', () => {
    expect(command().args).toEqual([
      `-datadir=${resolve('/data/btc')}`,
      '-server=1',
      '-daemon=0',
      '-printtoconsole=1',
      '-rpcport=8332',
    ]);
    for (const arg of ['-daemon', '--daemon=1', '-daemonwait', '-nodaemon']) refused({ args: [arg] }, /foreground/);
  });

  it.each([
    '-datadir=/else',
    '--conf=x',
    '-rpcport=1',
    '-rpcbind=0.0.0.0',
    '-rpcallowip=0.0.0.0/0',
    '-regtest',
    '-chain=main',
    '-norpccookiefile',
  ])('refuses %s, which the supervisor sets itself', (arg) => refused({ args: [arg] }, /is the supervisor's/));

  it.each(['-rpcpassword', '--rpcpassword', '-api-key', '--secret', '-walletpassphrase', '-token'])(
    'refuses %s: a secret that every user of the machine could read, and does not repeat it',
    (name) => {
      refused({ args: [`${name}=hidden`] }, /would show a secret/);
      expect(() => command({ args: [`${name}=hidden`] })).not.toThrow(/hidden/);
    },
  );

  it('takes all else, in order and after its own', () => {
    const args = ['-dbcache=450', '-prune=550', '-rpcauth=more:salt$hash'];
    expect(command({ args }).args.slice(-3)).toEqual(args);
  });

  it('opens RPC to others only together with the subnets that may call', () => {
    refused({ rpc: { host: '0.0.0.0' } }, /needs rpc.allow/);
    refused({ rpc: { host: 'example.org' } }, /must be an IP address/);
    refused({ rpc: { host: '0.0.0.0', allow: ['10.0.0.0/8 -x'] } }, /is no subnet/);
    const { args, rpc } = command({ rpc: { host: '0.0.0.0', allow: ['10.0.0.0/24'] } });
    expect(args).toEqual(
      expect.arrayContaining(['-rpcbind=0.0.0.0', '-rpcallowip=127.0.0.1', '-rpcallowip=10.0.0.0/24']),
    );
    expect(rpc.url).toBe('http://127.0.0.1:8332');
    expect(command({ rpc: { host: '::1', port: 9000 } }).rpc.url).toBe('http://[::1]:9000');
  });

  it('checks ports and the folder', () => {
    for (const port of [0, 65_536, 1.5, Number.NaN]) refused({ rpc: { port } }, /1 to 65535/);
    refused({ p2pPort: 0 }, /p2pPort/);
    refused({ dataDir: '' }, /dataDir/);
    expect(command({ p2pPort: 18_999 }).args).toContain('-port=18999');
  });
});

describe('secrets', () => {
  it('a cookie is the default: no password anywhere', () => {
    const made = command();
    expect(made.configFile).toBeUndefined();
    expect(made.rpc).toEqual({ url: 'http://127.0.0.1:8332', cookieFile: '/data/btc/.cookie' });
  });

  it('a password goes into a file, a token into the environment, and neither onto the command line', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9$!"'()*+,./:;<=>?@_~-]{8,40}$/);
    fc.assert(
      fc.property(secret, secret, (password, token) => {
        const made = command({
          authentication: { kind: 'password', user: 'pool', password },
          notify: { token, socket: '/run/pool.sock' },
        });
        expect(made.args.join('\n')).not.toContain(password);
        expect(made.args.join('\n')).not.toContain(token);
        expect(made.configFile).toEqual({
          path: '/data/btc/headframe-node.conf',
          text: `rpcuser=pool\nrpcpassword=${password}\n`,
        });
        expect(made.args).toContain('-conf=/data/btc/headframe-node.conf');
        expect(made.env).toEqual({ HEADFRAME_CONTROL_TOKEN: token });
        expect(made.rpc).toEqual({ url: 'http://127.0.0.1:8332', user: 'pool', password });
        expect(made.secrets).toEqual([password, token]);
      }),
    );
  });

  it.each(['a#b', 'a b', 'line\nrpcallowip=0.0.0.0/0', '', 'caf\u00e9'])(
    'a password %j, which the file could not hold, is refused without being shown',
    (password) => {
      const options = { authentication: { kind: 'password', user: 'u', password } } as const;
      refused(options, /authentication.password/);
      if (password.length > 1) expect(() => command(options)).not.toThrow(password);
    },
  );

  it("the pool's own variables, which hold its secrets, are not passed on", () => {
    const env = { PATH: '/bin', HEADFRAME_DAEMONS__0__PASSWORD: 'x', HEADFRAME_CONTROL_TOKEN: 'y' };
    expect(command({ env: { MALLOC_ARENA_MAX: '1' } }, env).env).toEqual({ PATH: '/bin', MALLOC_ARENA_MAX: '1' });
  });
});

describe('notifications', () => {
  it('are wired to a command that gets type, socket and data', () => {
    const { args } = command({ notify: { socket: '/run/pool.sock', types: ['block', 'wallet', 'alert'] } });
    expect(args.slice(-3)).toEqual([
      '-blocknotify=headframe notify --type block --source bitcoind --socket /run/pool.sock --data %s',
      '-walletnotify=headframe notify --type wallet --source bitcoind --socket /run/pool.sock --data %s',
      '-alertnotify=headframe notify --type alert --source bitcoind --socket /run/pool.sock --data %s',
    ]);
  });

  it('reach a port as well, with the token in a file or the environment', () => {
    const notify = { host: '127.0.0.1', port: 8090, tokenFile: '/etc/headframe/token', types: ['block'] } as const;
    expect(command({ name: 'near', notify }).args.at(-1)).toBe(
      '-blocknotify=headframe notify --type block --source near --host 127.0.0.1 --port 8090' +
        ' --token-file /etc/headframe/token --data %s',
    );
    refused({ notify: { port: 0 } }, /notify.port/);
  });

  it('each word reaches the program as it is, through the shell of the node', () => {
    const made = command({ notify: { command: ['/opt/my pool/node', "it's; rm -rf $HOME `x`"], types: ['block'] } });
    expect(made.args.at(-1)).toBe(
      `-blocknotify='/opt/my pool/node' 'it'\\''s; rm -rf $HOME \`x\`' --type block --source bitcoind --data %s`,
    );
    refused({ notify: { command: ['x%sy'] } }, /may not hold %/);
    refused({ notify: { command: [] } }, /is empty/);
    refused({ notify: { socket: '/a\nb' } }, /line ends/);
  });

  it('cannot be set twice, and what is not wired is free', () => {
    refused({ notify: {}, args: ['-blocknotify=mine'] }, /is set by notify/);
    expect(command({ notify: {}, args: ['-walletnotify=mine %s'] }).args).toContain('-walletnotify=mine %s');
    expect(command({ args: ['-blocknotify=mine %s'] }).args).toContain('-blocknotify=mine %s');
  });
});

describe('a definition', () => {
  const peercoind: DaemonDefinition = {
    name: 'peercoind',
    binary: 'peercoind',
    networks: { main: { flags: [], folder: '', rpcPort: 9902, p2pPort: 9901 } },
  };
  it('is enough for a node like Bitcoin Core', () => {
    const made = command({ daemon: peercoind });
    expect(made).toMatchObject({ name: 'peercoind', binary: 'peercoind', rpc: { url: 'http://127.0.0.1:9902' } });
    expect(made.args).toContain('-rpcport=9902');
  });

  it('says all that is different of another node', () => {
    const other: DaemonDefinition = {
      name: 'other',
      binary: '/opt/other',
      networks: { main: { flags: ['--net', 'main'], folder: 'mainnet', rpcPort: 1, p2pPort: 2 } },
      args: ['--prefix={dataDir}', '--http={rpcHost}:{rpcPort}'],
      cookieFile: '{networkDir}/auth',
      notify: { block: '--on-block={command}' },
      readyMethod: 'getinfo',
      stopMethod: 'shutdown',
    };
    const made = command({ daemon: other, notify: { types: ['block'] } });
    expect(made.args).toEqual([
      '--prefix=/data/btc',
      '--http=127.0.0.1:1',
      '--net',
      'main',
      '--on-block=headframe notify --type block --source other --data %s',
    ]);
    expect(made.rpc.cookieFile).toBe('/data/btc/mainnet/auth');
    expect(made.definition).toMatchObject({ readyMethod: 'getinfo', stopMethod: 'shutdown' });
    refused({ daemon: other, notify: { types: ['wallet'] } }, /has no notification "wallet"/);
    refused({ daemon: { ...other, args: ['{nonsense}'] } }, /nothing is known for \{nonsense\}/);
  });
});
