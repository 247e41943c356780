import { encodeJson, parseMessage } from '@headframe/jsonrpc';
import type { RejectCode } from '@headframe/primitives';
import type { HookRegistry, JsonRpcSettings, ProtocolDefinition, SessionHooks } from '@headframe/sessions';
import {
  encodeReconnect,
  encodeShowMessage,
  METHODS,
  type ReconnectTarget,
  type StratumErrorOptions,
  stratumErrorJson,
  toStratumError,
} from '@headframe/stratum-v1';
import { jsonDetector } from '@headframe/transport';
import type { Mining } from '../mining.js';
import { asciiText } from '../text.js';
import { MiningContext } from './context.js';
import { type V1Base, V1Link } from './link.js';
import { V1Protocol } from './protocol.js';
import type { V1Methods } from './registry.js';
import type { Submit } from './submit.js';

/** Name of the protocol, as in `session.protocol` and `listeners[].protocols`. */
export const STRATUM_V1 = 'stratum-v1';

export interface V1Options<Account> {
  readonly mining: Mining<Account>;
  readonly methods: V1Methods<Account>;
  readonly hooks: HookRegistry<SessionHooks<MiningContext<Account>>>;
  readonly submit: Submit<Account>;
  readonly errors: StratumErrorOptions;
  /** False once somebody replaced `mining.submit`. */
  readonly mayBeFast: () => boolean;
  readonly forget: (protocol: V1Base<Account>) => void;
  /** Where miners are sent when the server stops; undefined: back to where they are. */
  readonly farewell: () => ReconnectTarget | undefined;
}

/** Stratum V1 as one of the protocols of a session server. */
export function stratumV1<Account>(options: V1Options<Account>): ProtocolDefinition {
  const { mining, methods, hooks, submit, errors } = options;
  methods.declareToPeer(METHODS.filter(({ direction }) => direction === 'to-client').map(({ name }) => name));
  const settings: JsonRpcSettings<MiningContext<Account>, V1Link<Account>> = {
    name: STRATUM_V1,
    methods,
    onRequest: hooks.list('onRequest'),
    beforeReply: hooks.list('beforeReply'),
    createState: (protocol) => new V1Link(protocol, mining),
    createContext: (protocol, request) => new MiningContext(protocol.state, mining, request),
    // The one place where a refusal becomes Stratum.
    encodeError: (idText, code, reason) =>
      `{"id":${idText},"result":null,"error":${errorJson(code, reason, errors)}}\n`,
    fastLine: (protocol, bytes, start, end) => {
      if (options.mayBeFast() && submit.fast(protocol, bytes, start, end)) return true;
      return protocol.state.pinged && swallowPong(protocol, bytes, start, end);
    },
    shutdown: (protocol, message) => {
      if (!protocol.session.subscribed) return;
      protocol.push(asciiText(encodeShowMessage(message)));
      protocol.push(asciiText(encodeReconnect(options.farewell())));
    },
    closed: (protocol) => {
      protocol.state.close();
      options.forget(protocol);
    },
    hasAccount: (protocol, account) => protocol.state.channel.workers.hasKey(account),
    hasWorker: (protocol, name) => protocol.state.channel.workers.find(name) !== undefined,
  };
  return {
    name: STRATUM_V1,
    detector: { ...jsonDetector, name: STRATUM_V1 },
    create: (session) => new V1Protocol(session, settings),
  };
}

function errorJson(code: RejectCode, reason: string | undefined, errors: StratumErrorOptions): string {
  // A reason of our own is ASCII; one from a handler may be anything.
  return reason === undefined
    ? stratumErrorJson(code, undefined, errors)
    : encodeJson(toStratumError(code, reason, errors));
}

/**
 * ESP-Miner answers a ping by a request `pong` under the ping's id. It would take any reply to that for the verdict on
 * a share, so there is none.
 */
function swallowPong<Account>(protocol: V1Base<Account>, bytes: Uint8Array, start: number, end: number): boolean {
  const message = parseMessage(bytes, start, end);
  if (message.kind !== 'request' || (message.method !== 'pong' && message.method !== 'mining.pong')) return false;
  protocol.settle(protocol.reserve(), '');
  return true;
}
