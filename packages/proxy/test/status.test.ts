import { request } from 'node:http';
import { connect } from 'node:net';
import {
  applyProxyEnvironment,
  createProxy,
  parseProxyConfig,
  renderMetrics,
  renderStatusPage,
  startStatusServer,
} from '@headframe/proxy';
import { afterEach, describe, expect, it } from 'vitest';
import { POOL_DIFFICULTY, ProxyBench } from './harness.js';

const MINIMAL = { upstreams: [{ url: 'pool.example:3333', user: 'u', password: 'hunter2' }] };

describe('the configuration', () => {
  it('has defaults for everything but the upstreams', () => {
    expect(parseProxyConfig(MINIMAL)).toMatchObject({
      mode: 'aggregated',
      accounts: { mode: 'append', separator: '.' },
      submit: { wait: false },
      outage: { miners: 'wait' },
    });
  });

  it('tells every problem with its path, and no secret', () => {
    const wrong = {
      upstreams: [{ url: 3, user: 'u', password: 'hunter2', nope: 1 }],
      listeners: [{ port: 70_000 }],
      mode: 'x',
    };
    let message = '';
    try {
      parseProxyConfig(wrong);
    } catch (error) {
      message = String(error);
    }
    for (const path of ['upstreams[0].url', 'upstreams[0].nope', 'listeners[0].port', 'mode'])
      expect(message).toContain(path);
    expect(message).not.toContain('hunter2');
  });

  it('takes values of the environment', () => {
    const config = applyProxyEnvironment(
      { upstreams: [{ url: 'a:1', user: 'u' }] },
      {
        HEADFRAME_PROXY_UPSTREAMS__0__USER: 'v',
        HEADFRAME_PROXY_UPSTREAMS__1__URL: 'b:2',
        HEADFRAME_PROXY_SUBMIT__LATE_SECONDS: '5',
        HEADFRAME_LISTENERS__0__PORT: '1',
      },
    );
    expect(config).toEqual({ upstreams: [{ url: 'a:1', user: 'v' }, { url: 'b:2' }], submit: { lateSeconds: 5 } });
    expect(() => applyProxyEnvironment({ upstreams: [] }, { HEADFRAME_PROXY_UPSTREAMS__X: '1' })).toThrow(
      /no list position/,
    );
    expect({}).not.toHaveProperty('polluted');
    applyProxyEnvironment({}, { HEADFRAME_PROXY___PROTO____POLLUTED: 'true' });
    expect({}).not.toHaveProperty('polluted');
  });

  it('refuses an address that is none', () => {
    const url = 'not an address';
    expect(() => createProxy({ upstreams: [{ url, user: 'u' }] })).toThrow(/upstreams\[0\]\.url: is no pool address/);
  });
});

describe('status and metrics', () => {
  let bench: ProxyBench;
  afterEach(() => bench.close());

  async function working(): Promise<ProxyBench> {
    bench = new ProxyBench();
    await bench.start();
    const miner = await bench.miner({ username: '<b>"rig"</b>' });
    await miner.mine({ difficulty: POOL_DIFFICULTY });
    return bench;
  }

  it('metrics follow the text format and count what happened', async () => {
    const { proxy, clock } = await working();
    const text = renderMetrics(proxy.stats(), clock.now());
    expect(text).toContain('headframe_proxy_sessions 1\n');
    expect(text).toContain('headframe_proxy_upstream_up{upstream="pool0"} 1\n');
    expect(text).toContain('headframe_proxy_upstream_accepted_total 1\n');
    expect(text).toContain('headframe_proxy_upstream_answer_seconds_count 1\n');
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) headframe_proxy_[a-z_]+ .+|headframe_proxy_[a-z_]+(\{[a-z_]+="[^"]*"\})? [-+0-9.e]+)$/,
      );
    }
  });

  it('the page shows names as text', async () => {
    const { proxy, clock } = await working();
    const page = renderStatusPage(proxy.stats(), clock.now());
    expect(page).toContain('pool0 (in use)');
    expect(page).not.toContain('<b>"rig"');
  });

  it('idle connections, half requests and garbage neither stop it nor hold up its end', async () => {
    const { proxy } = await working();
    const status = await startStatusServer(proxy, { host: '127.0.0.1', port: 0 });
    const sockets = ['', 'GET / HTTP/1.1\r\nHost: x\r\n', '\u0000\u0001\u0002\r\n\r\n', '{"id":1}\n'].map((text) => {
      const socket = connect(status.port, '127.0.0.1');
      socket.on('error', () => {});
      if (text !== '') socket.write(text);
      return socket;
    });
    expect((await fetch(`http://127.0.0.1:${status.port}/healthz`)).status).toBe(200);
    await status.close();
    await Promise.all(
      sockets.map((socket) =>
        socket.closed ? undefined : new Promise((resolve) => socket.on('close', resolve).resume()),
      ),
    );
  });

  it('is served over HTTP, read-only', async () => {
    const { proxy } = await working();
    const status = await startStatusServer(proxy, { host: '127.0.0.1', port: 0 });
    const get = (path: string, method = 'GET'): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        request({ host: status.host, port: status.port, path, method }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        })
          .on('error', reject)
          .end();
      });
    expect((await get('/')).body).toContain('Headframe proxy');
    expect(JSON.parse((await get('/status')).body)).toMatchObject({
      mode: 'aggregated',
      upstream: 'pool0',
      total: { accepted: 1 },
    });
    expect((await get('/metrics')).body).toContain('headframe_proxy_sessions 1');
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/nothing')).status).toBe(404);
    expect((await get('/', 'POST')).status).toBe(405);
    await expect(startStatusServer(proxy, { host: '127.0.0.1', port: status.port })).rejects.toMatchObject({
      code: 'listen_failed',
    });
    await status.close();
  });
});
