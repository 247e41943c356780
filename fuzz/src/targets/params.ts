import { isReject } from '@headframe/primitives';
import {
  BIP320_VERSION_MASK,
  decodeSubscribeResult,
  negotiateConfigure,
  parseAuthorize,
  parsePassword,
  parseSubscribe,
  parseSuggestDifficulty,
  parseSuggestTarget,
  splitMethodArgument,
  splitWorkerName,
  stratumErrorFromWire,
} from '@headframe/stratum-v1';
import { check, parseJson, tolerate } from '../check.js';
import type { FuzzTarget } from '../run.js';

const POLICY = {
  versionMask: BIP320_VERSION_MASK,
  minimumDifficulty: (requested: number): boolean => requested < 1e6,
  subscribeExtranonce: true,
};

function isPrintable(text: string | undefined): boolean {
  return text === undefined || /^[\x20-\x7e]*$/.test(text);
}

export const paramsTarget: FuzzTarget = {
  name: 'params',
  promise: 'readers of request params never throw, answer only what was asked, and let nothing unprintable through',
  maxBytes: 3000,
  dictionary: [
    '"version-rolling"',
    '"version-rolling.mask"',
    '"minimum-difficulty"',
    '"minimum-difficulty.value"',
    '"subscribe-extranonce"',
    '"info"',
    '"info.sw-version"',
    '"1fffe000"',
    '"d=1024,md=1"',
    'ae6812eb4cd7735a302a8a9dd95cf71f',
    '0123456789abcdef0123456789abcdef',
  ],
  run(bytes) {
    const parsed = parseJson(bytes);
    const params = parsed === undefined ? Buffer.from(bytes).toString('latin1') : parsed.value;
    const seen: string[] = [];

    const configured = negotiateConfigure(params, POLICY);
    if (isReject(configured)) seen.push(configured.reason ?? '');
    else {
      const asked: readonly unknown[] = Array.isArray(params) && Array.isArray(params[0]) ? params[0] : [];
      for (const key of Object.keys(configured.result)) {
        check(
          asked.includes(key) || (key === 'version-rolling.mask' && asked.includes('version-rolling')),
          `unasked ${key}`,
        );
      }
      check(JSON.stringify(configured).length < 8000, 'a small answer');
      const { versionMask = 0, info } = configured.granted;
      check((versionMask & ~BIP320_VERSION_MASK) === 0, 'a mask within the policy');
      for (const text of Object.values(info ?? {})) check(isPrintable(text), 'printable info');
      seen.push(Object.keys(configured.granted).join('+'));
    }

    const { agent, sessionId, host, port } = parseSubscribe(params);
    check(isPrintable(agent) && isPrintable(host), 'printable agent and host');
    seen.push([agent, sessionId, host, port].map((part) => (part === undefined ? '-' : '+')).join(''));

    const authorized = parseAuthorize(params);
    if (isReject(authorized)) seen.push(authorized.reason ?? '');
    else {
      const { account, worker } = splitWorkerName(authorized.username, '._');
      check(authorized.username.startsWith(account) && authorized.username.endsWith(worker), 'parts of the name');
      parsePassword(authorized.password);
    }

    const difficulty = parseSuggestDifficulty(params);
    if (!isReject(difficulty)) {
      check(Number.isFinite(difficulty) && difficulty > 0, 'a usable difficulty');
      seen.push('difficulty');
    }
    const target = parseSuggestTarget(params);
    if (!isReject(target)) {
      check(target.length === 32, 'a whole target');
      seen.push('target');
    }
    const text = Buffer.from(bytes).toString('utf8');
    const { difficulty: wished, minimumDifficulty, fixedDifficulty } = parsePassword(text);
    for (const number of [wished, minimumDifficulty, fixedDifficulty]) {
      check(number === undefined || (Number.isFinite(number) && number > 0), 'usable password numbers');
    }
    splitMethodArgument(text);
    tolerate(['invalid_data'], () => decodeSubscribeResult(params));
    check(stratumErrorFromWire(params).reason !== '', 'an error has a text');
    return seen.join(' ');
  },
};
