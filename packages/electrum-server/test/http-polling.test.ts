import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { FakeClock, settle } from '@headframe/primitives/testing';
import { TEST_CERTIFICATE } from '@headframe/transport/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createElectrumFramework,
  type ElectrumContext,
  type ElectrumFramework,
  type HttpPolling,
  type HttpPollingOptions,
  listenHttpPolling,
} from '../src/index.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Answer {
  readonly status: number;
  readonly cookie: string | undefined;
  readonly body: unknown;
}

interface Rig {
  readonly server: ElectrumFramework;
  readonly polling: HttpPolling;
  readonly clock: FakeClock;
  /** Resolves when the method `never` was called. */
  readonly hangs: Promise<void>;
  /** Tells every session that asked for `news`. */
  tell(value: unknown): void;
  ask(body: unknown, cookie?: string, method?: string): Promise<Answer>;
}

async function start(options: Partial<HttpPollingOptions> = {}): Promise<Rig> {
  const clock = new FakeClock();
  const server = createElectrumFramework(
    { limits: { overloadDelayMs: Number.POSITIVE_INFINITY, handlerTimeoutMs: 10_000 } },
    { clock },
  );
  const listeners = new Set<ElectrumContext['session']>();
  server.method('news', {
    handler: ({ session }) => {
      listeners.add(session);
      return 'subscribed';
    },
  });
  server.method('echo', { handler: ({ params }) => params });
  let onNever: () => void = () => {};
  const hangs = new Promise<void>((resolve) => {
    onNever = resolve;
  });
  server.method('never', {
    handler: () => {
      onNever();
      return new Promise(() => {});
    },
  });
  const polling = await listenHttpPolling({ port: 0, clock, ...options }, server);
  closing.push(() => polling.close());
  closing.push(async () => {
    const closed = server.close({ drainMs: 1 });
    await clock.advanceAsync(10);
    await closed;
  });
  const ask = (body: unknown, cookie?: string, method = 'POST'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const send = options.tls === undefined ? httpRequest : httpsRequest;
      const { host, port } = polling.address;
      const headers = cookie === undefined ? {} : { cookie: `other=1; ${cookie}` };
      const request = send({ host, port, method, headers, rejectUnauthorized: false, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const [cookieLine] = response.headers['set-cookie'] ?? [];
          resolve({
            status: response.statusCode ?? 0,
            cookie: cookieLine?.split(';')[0],
            body: text === '' ? undefined : JSON.parse(text),
          });
        });
      });
      request.on('error', reject);
      request.end(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));
    });
  const tell = (value: unknown): void => {
    for (const session of listeners) session.notify('news', [value]);
  };
  return { server, polling, clock, hangs, tell, ask };
}

const call = (id: number, method: string, params: unknown[] = []) => ({ jsonrpc: '2.0', id, method, params });

describe('Electrum by HTTP polling', () => {
  it.each([
    ['HTTP', {}],
    ['HTTPS', { tls: TEST_CERTIFICATE }],
  ])('a session is a cookie: calls, subscriptions and what comes later, over %s', async (_name, options) => {
    const { ask, tell, polling, server } = await start(options);
    const first = await ask(call(1, 'server.version', ['test', '1.4']));
    expect(first).toMatchObject({ status: 200, body: { id: 1, result: ['Headframe', '1.4'] } });
    const { cookie } = first;
    expect(cookie).toMatch(/^SESSION=[0-9a-f]{32}$/);
    expect(await ask(call(2, 'news'), cookie)).toMatchObject({ cookie, body: { id: 2, result: 'subscribed' } });
    expect((await ask('', cookie)).body, 'nothing yet').toEqual([]);
    tell('a');
    tell('b');
    await settle();
    expect((await ask('', cookie, 'GET')).body).toMatchObject([{ params: ['a'] }, { params: ['b'] }]);
    expect((await ask('', cookie)).body, 'told once').toEqual([]);
    tell('c');
    await settle();
    expect((await ask(call(3, 'echo', [7]), cookie)).body).toMatchObject([{ method: 'news' }, { id: 3, result: [7] }]);
    expect([polling.sessions, server.stats().sessions]).toEqual([1, 1]);
  });

  it('a batch is answered as a list, notifications by nothing, nonsense by an error', async () => {
    const { ask } = await start();
    const batch = [call(1, 'echo', [1]), { jsonrpc: '2.0', method: 'echo', params: [] }, call(2, 'echo', [2])];
    const { body, cookie } = await ask(JSON.stringify(batch, null, 2));
    expect(body).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect((await ask({ jsonrpc: '2.0', method: 'echo', params: [] }, cookie)).body).toEqual([]);
    expect((await ask('{"id":5,', cookie)).body).toMatchObject({ error: { code: -32700 } });
    expect((await ask(call(6, 'echo', ['\u00e9', '\u{1f600}']), cookie)).body).toMatchObject({
      result: ['\u00e9', '\u{1f600}'],
    });
  });

  it('two clients have two sessions, and a cookie that is none gets a new one', async () => {
    const { ask, tell, polling } = await start();
    const [one, two] = [await ask(call(1, 'news')), await ask(call(1, 'echo'))];
    expect(one.cookie).not.toBe(two.cookie);
    tell(1);
    await settle();
    expect((await ask('', two.cookie)).body).toEqual([]);
    expect((await ask('', one.cookie)).body).toMatchObject([{ params: [1] }]);
    const stranger = await ask('', `SESSION=${'0'.repeat(32)}`);
    expect(stranger.cookie).not.toBe(`SESSION=${'0'.repeat(32)}`);
    expect(polling.sessions).toBe(3);
  });

  it('a session without requests is forgotten, and the server is told', async () => {
    const { ask, clock, polling, server } = await start({ sessionMs: 60_000 });
    const { cookie } = await ask(call(1, 'echo'));
    await clock.advanceAsync(59_000, 1000);
    expect((await ask('', cookie)).cookie).toBe(cookie);
    await clock.advanceAsync(61_000, 1000);
    expect([polling.sessions, server.stats().sessions]).toEqual([0, 0]);
    expect((await ask(call(2, 'echo'), cookie)).cookie).not.toBe(cookie);
  });

  it('an answer that takes too long is fetched later; meanwhile the session takes no second request', async () => {
    const { ask, clock, hangs } = await start({ answerMs: 5000 });
    const { cookie } = await ask(call(1, 'echo'));
    const slow = ask(call(2, 'never'), cookie);
    await hangs;
    expect((await ask('', cookie)).status).toBe(409);
    await clock.advanceAsync(5000, 1000);
    expect(await slow).toMatchObject({ status: 200, body: [] });
    await clock.advanceAsync(10_000, 1000);
    expect((await ask('', cookie)).body, 'the handler ran out of time').toMatchObject([{ id: 2, error: {} }]);
  });

  it('a session that the server ends has its last words fetched, and a new one begins', async () => {
    const { ask } = await start();
    const refused = await ask(call(1, 'server.version', ['test', '9.9']));
    expect(refused.body).toMatchObject({ id: 1, error: { code: 1 } });
    const next = await ask(call(2, 'echo', []), refused.cookie);
    expect(next).toMatchObject({ status: 200, body: { id: 2 } });
    expect(next.cookie).not.toBe(refused.cookie);
  });

  it('bounds sessions and bodies, and serves no other methods', async () => {
    const { ask } = await start({ maxSessions: 2, maxBodyBytes: 1000 });
    const [one] = [await ask(call(1, 'echo')), await ask(call(1, 'echo'))];
    expect((await ask(call(1, 'echo'))).status).toBe(503);
    expect((await ask(call(2, 'echo'), one.cookie)).status).toBe(200);
    expect((await ask(call(2, 'echo', ['x'.repeat(1000)]), one.cookie)).status).toBe(413);
    expect((await ask(undefined, one.cookie, 'PUT')).status).toBe(405);
    expect((await ask(call(3, 'echo'), one.cookie)).status).toBe(200);
  });

  it('limits of the server hold: a flood of what it does not know ends the session', async () => {
    const { ask, server } = await start();
    let { cookie } = await ask(call(0, 'echo'));
    const first = cookie;
    for (let i = 1; i < 15; i++) cookie = (await ask('nonsense', cookie)).cookie ?? cookie;
    expect(cookie).not.toBe(first);
    expect(server.stats().closed.malformed).toBeGreaterThan(0);
  });

  it('who subscribes and does not fetch is cut, and what waited for it is gone', async () => {
    const { ask, tell, clock, server, polling } = await start();
    const { cookie } = await ask(call(1, 'news'));
    const lively = await ask(call(1, 'news'));
    const text = 'x'.repeat(2000);
    for (let i = 0; i < 100; i++) tell(text);
    await settle();
    expect((await ask('', lively.cookie)).body).toHaveLength(100);
    await clock.advanceAsync(31_000, 1000);
    expect(server.stats()).toMatchObject({ sessions: 1, closed: { 'slow-reader': 1 } });
    const next = await ask('', cookie);
    expect(next.body).toEqual([]);
    expect(next.cookie).not.toBe(cookie);
    await clock.advanceAsync(121_000, 1000);
    expect(polling.sessions, 'the one that ended is forgotten too').toBe(0);
  });

  it('a client that hangs up in the middle of an answer finds it at its next request', async () => {
    const { ask, polling, clock, hangs } = await start({ answerMs: 60_000 });
    const { cookie } = await ask(call(1, 'echo'));
    const gone = new Promise<void>((resolve) => {
      const { host, port } = polling.address;
      const request = httpRequest({ host, port, method: 'POST', headers: { cookie }, agent: false });
      request.on('error', () => resolve());
      request.end(JSON.stringify(call(2, 'never')));
      void hangs.then(() => request.destroy(new Error('gone')));
    });
    await gone;
    let answer = await ask('', cookie);
    for (let i = 0; i < 200 && answer.status === 409; i++) answer = await ask('', cookie);
    expect(answer.status).toBe(200);
    await clock.advanceAsync(11_000, 1000);
    expect((await ask('', cookie)).body).toMatchObject([{ id: 2, error: {} }]);
  });

  it('says when the port is taken, and closes twice', async () => {
    const { polling, server } = await start();
    const { port } = polling.address;
    await expect(listenHttpPolling({ port }, server)).rejects.toMatchObject({ code: 'listen_failed' });
    await Promise.all([polling.close(), polling.close()]);
    expect(polling.sessions).toBe(0);
  });
});
