import { silentLogger, systemClock } from '@headframe/primitives';
import { describe, expect, it } from 'vitest';
import type { PoolConfigInput } from '../src/config/schema.js';
import { createPool, parseConfig } from '../src/index.js';
import { setUp } from '../src/setup.js';
import { createSupervisedNodes, daemonOptions } from '../src/supervised-nodes.js';

const SUPERVISE = { dataDir: '/srv/litecoin' };

type Daemon = PoolConfigInput['daemons'][number];

function pool(daemons: readonly Daemon[], more: Partial<PoolConfigInput> = {}) {
  const config = parseConfig({
    coin: 'litecoin',
    network: 'regtest',
    daemons: [...daemons],
    payout: { address: 'rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3' },
    listeners: [{ port: 3333 }],
    ...more,
  });
  const { coin } = setUp(config);
  const modules = { log: silentLogger, clock: systemClock, notifyCommand: ['/bin/notify'] };
  return {
    options: daemons.map((_, index) => daemonOptions(config, index, coin)),
    commands: () =>
      createSupervisedNodes(config, coin, modules)
        ?.list()
        .map(({ command }) => command) ?? [],
  };
}

describe('supervised nodes of a configuration', () => {
  it('there are none unless it says so', () => {
    const { commands, options } = pool([{ url: 'http://10.0.0.1:1', user: 'u', password: 'p' }]);
    expect(commands()).toEqual([]);
    expect(options).toEqual([{ url: 'http://10.0.0.1:1', user: 'u', password: 'p', timeoutMs: 30_000 }]);
  });

  it('the coin decides which node it is, the network its port, and the pool calls it with its cookie', () => {
    const { commands, options } = pool([{ supervise: SUPERVISE }]);
    expect(options).toEqual([
      {
        name: 'litecoind',
        url: 'http://127.0.0.1:19443',
        cookieFile: '/srv/litecoin/regtest/.cookie',
        timeoutMs: 30_000,
      },
    ]);
    expect(commands()).toMatchObject([{ binary: 'litecoind', dataDir: '/srv/litecoin', configFile: undefined }]);
    expect(commands()[0]?.args.join(' ')).not.toContain('notify');
  });

  it('several have names of their own, beside nodes that others run', () => {
    const { commands, options } = pool([
      { supervise: SUPERVISE },
      { url: 'http://10.0.0.1:1' },
      { name: 'third', url: 'http://localhost:7000', user: 'u', password: 'pw', supervise: { dataDir: '/srv/b' } },
    ]);
    expect(options.map(({ name }) => name)).toEqual(['node 1', undefined, 'third']);
    expect(commands().map(({ name }) => name)).toEqual(['node 1', 'third']);
    expect(options[2]).toMatchObject({ url: 'http://127.0.0.1:7000', user: 'u', password: 'pw' });
    expect(commands()[1]?.configFile?.text).toContain('rpcpassword=pw');
  });

  it.each([
    [{ socket: '/run/c.sock' }, ' --socket /run/c.sock '],
    [{ port: 8090, token: 'a-token-of-some-length' }, ' --host 127.0.0.1 --port 8090 '],
    [{ host: '0.0.0.0', port: 8090, tokenFile: '/etc/token' }, ' --port 8090 --token-file /etc/token '],
  ])('they report to the control RPC %j', (control, words) => {
    const [command] = pool([{ supervise: SUPERVISE }], { control }).commands();
    expect(command?.args.find((arg) => arg.startsWith('-blocknotify='))).toContain(words);
    expect(command?.args.find((arg) => arg.startsWith('-alertnotify='))).toContain('/bin/notify --type alert');
    expect(command?.args.join(' ')).not.toContain('a-token-of-some-length');
    expect(command?.env.HEADFRAME_CONTROL_TOKEN).toBe('token' in control ? control.token : undefined);
  });

  it('nothing is wired where it could not report', () => {
    const hash = `scrypt:15:8:1:${'A'.repeat(22)}:${'A'.repeat(43)}`;
    for (const control of [
      { port: 0, token: 'a-token-of-some-length' },
      { port: 8090, passwordHash: hash },
    ]) {
      const [command] = pool([{ supervise: SUPERVISE }], { control }).commands();
      expect(command?.args.join(' ')).not.toContain('notify');
    }
    const off = pool([{ supervise: { ...SUPERVISE, notify: [] } }], { control: { socket: '/run/c.sock' } });
    expect(off.commands()[0]?.args.join(' ')).not.toContain('notify');
  });

  it('a node without a preset is given as data', () => {
    const definition = {
      name: 'othercoind',
      binary: '/opt/othercoind',
      networks: { regtest: { flags: ['-regtest'], folder: 'rt', rpcPort: 5, p2pPort: 6 } },
    };
    const { options, commands } = pool([{ supervise: { ...SUPERVISE, definition } }]);
    expect(options[0]).toMatchObject({ url: 'http://127.0.0.1:5', cookieFile: '/srv/litecoin/rt/.cookie' });
    expect(commands()[0]?.binary).toBe('/opt/othercoind');
  });

  it.each([
    [{}, 'daemons[0].url'],
    [
      { supervise: { ...SUPERVISE, preset: 'litecoind', definition: { name: 'x', binary: 'x', networks: {} } } },
      'definition',
    ],
    [{ supervise: { ...SUPERVISE, definition: { name: 'x', binary: 'x', networks: {} } } }, 'has no network'],
    [{ url: 'https://127.0.0.1:1', supervise: SUPERVISE }, 'daemons[0].url'],
    [{ url: 'http://u:p@127.0.0.1:1', supervise: SUPERVISE }, 'daemons[0].url'],
    [{ user: 'u', supervise: SUPERVISE }, 'daemons[0].supervise'],
    [{ supervise: { ...SUPERVISE, args: ['-datadir=/x'] } }, 'daemons[0].supervise'],
    [{ supervise: { ...SUPERVISE, restart: { minDelay: 5, maxDelay: 1 } } }, 'maxDelay'],
  ] as [Daemon, string][])('%j is a wrong configuration, which says %s', (daemon, message) => {
    expect(() => pool([daemon]).commands()).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    expect(() => pool([daemon]).commands()).toThrow(message);
  });

  it('a coin without a preset needs a definition', () => {
    const coin = {
      name: 'othercoin',
      symbol: 'OTH',
      algorithm: 'sha256d',
      blockSpacingSeconds: 60,
      networks: { regtest: { p2pkh: [111], p2sh: [196], bech32: 'rltc', rpcPort: 1, p2pPort: 2 } },
    };
    const options = {
      coin,
      network: 'regtest',
      daemons: [{ supervise: SUPERVISE }],
      payout: { address: 'rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3' },
      listeners: [{ port: 3333 }],
      log: { level: 'silent' as const },
    };
    expect(() => createPool(options)).toThrow(/daemons\[0\]\.supervise\.definition.*no preset for othercoin/);
  });
});
