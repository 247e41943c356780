import { asciiToBytes, bytesToHex, isReject, PoolError, type Reject, reject } from '@headframe/primitives';
import {
  encodeSetDifficulty,
  encodeSetVersionMask,
  negotiateConfigure,
  parseSubscribe,
  stratumErrorJson,
  subscribeResult,
} from '@headframe/stratum-v1';
import { type AgentCapability, parseCapabilities } from './capabilities.js';
import { difficultyText } from './difficulty-frames.js';

/** Id of a JSON-RPC request; agents use small numbers and short texts. */
export type RequestId = string | number | null;

/** How far one connection is. An immutable value: the functions here return the next one. */
export interface AgentHandshake {
  /** `new`: the user agent is not known yet. */
  readonly phase: 'new' | 'subscribed' | 'authorized';
  /** User agent of the agent itself; undefined before it subscribed. */
  readonly userAgent: string | undefined;
  /** The agent asked for a response to each share. It counts from authorization on: {@link sendsResponses}. */
  readonly wantsResponses: boolean;
  /** Version bits granted; 0 for none. */
  readonly versionMask: number;
  /** Version bits told by `mining.set_version_mask`. */
  readonly toldVersionMask: number;
}

/** What this side offers to agents. */
export interface AgentPolicy {
  /** Version bits that may be rolled on this chain; 0 turns version rolling off. */
  readonly versionMask: number;
  /** Beginnings of the user agents that are agents. Default {@link AGENT_PREFIXES}. */
  readonly agentPrefixes?: readonly string[];
}

/** The state after a request, and the lines to write, in this order and with nothing between them. */
export interface AgentAnswer {
  readonly state: AgentHandshake;
  readonly lines: readonly Uint8Array[];
}

/** How the known agents' user agents begin. Forks have others. */
export const AGENT_PREFIXES: readonly string[] = ['btccom-agent/'];

/** Bytes of extranonce1 that agents take. They write it into the coinbase themselves. */
export const AGENT_EXTRANONCE1_BYTES = 4;

/** Bytes of extranonce2 on an agent's connection: two zero bytes, the session id, and four of the miner. */
export const AGENT_EXTRANONCE2_BYTES = 8;

/** The state of a fresh connection. */
export const NEW_HANDSHAKE: AgentHandshake = {
  phase: 'new',
  userAgent: undefined,
  wantsResponses: false,
  versionMask: 0,
  toldVersionMask: 0,
};

/** Whether a user agent is that of an agent. */
export function isAgent(userAgent: string, prefixes: readonly string[] = AGENT_PREFIXES): boolean {
  return prefixes.some((prefix) => userAgent.startsWith(prefix));
}

/** Whether each submit frame is to be answered by a response frame. */
export function sendsResponses(state: AgentHandshake): boolean {
  return state.phase === 'authorized' && state.wantsResponses;
}

/** JSON text that is pure ASCII. */
function json(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function line(text: string): Uint8Array {
  return asciiToBytes(`${text}\n`);
}

function result(id: RequestId, value: unknown): Uint8Array {
  return line(`{"id":${json(id)},"result":${json(value)},"error":null}`);
}

/** The line that refuses a request. */
export function encodeAgentRefusal(id: RequestId, refusal: Reject): Uint8Array {
  const error = stratumErrorJson(refusal.code, refusal.reason);
  return line(`{"id":${json(id)},"result":null,"error":${error.replace(/[^\x20-\x7e]/g, '?')}}`);
}

/** What is offered: rolled versions only when there are bits to roll. */
function offered(policy: AgentPolicy): readonly AgentCapability[] {
  return policy.versionMask === 0 ? ['subres'] : ['verrol', 'subres'];
}

/**
 * Answers `agent.get_capabilities`, which is legal at any time; it is the first line of an agent that tests the
 * connection. A wish for responses is remembered whenever it comes, and never taken back.
 */
export function answerCapabilities(
  state: AgentHandshake,
  id: RequestId,
  params: unknown,
  policy: AgentPolicy,
): AgentAnswer {
  const wantsResponses = state.wantsResponses || parseCapabilities(params).includes('subres');
  // No "error" member: this is the reply that the agents were written against.
  const capabilities = JSON.stringify({ capabilities: offered(policy) });
  return { state: { ...state, wantsResponses }, lines: [line(`{"id":${json(id)},"result":${capabilities}}`)] };
}

/** The `mining.set_version_mask` that is due, if the agent was told something else. */
function maskLines(state: AgentHandshake): AgentAnswer {
  if (state.versionMask === state.toldVersionMask) return { state, lines: [] };
  return {
    state: { ...state, toldVersionMask: state.versionMask },
    lines: [encodeSetVersionMask(state.versionMask)],
  };
}

/**
 * Answers `mining.configure` and tells the mask by `mining.set_version_mask`, too. Before the subscription the mask
 * waits for {@link answerAuthorize}: the first line that an agent reads must not be a notification.
 */
export function answerConfigure(
  state: AgentHandshake,
  id: RequestId,
  params: unknown,
  policy: AgentPolicy,
): AgentAnswer | Reject {
  const outcome = negotiateConfigure(params, { versionMask: policy.versionMask, subscribeExtranonce: false });
  if (isReject(outcome)) return outcome;
  const asked = Object.hasOwn(outcome.result, 'version-rolling');
  const next = asked ? { ...state, versionMask: outcome.granted.versionMask ?? 0 } : state;
  const reply = result(id, outcome.result);
  if (state.phase === 'new') return { state: next, lines: [reply] };
  const mask = maskLines(next);
  return { state: mask.state, lines: [reply, ...mask.lines] };
}

/**
 * Answers `mining.subscribe` of an agent; {@link Reject} `not-supported` when the user agent is none of the policy's,
 * which then is a miner and nothing of this package concerns it.
 * @param extranonce1 4 bytes
 * @throws PoolError `invalid_argument` for an extranonce1 of another length: agents exit on it
 */
export function answerSubscribe(
  state: AgentHandshake,
  id: RequestId,
  params: unknown,
  policy: AgentPolicy,
  extranonce1: Uint8Array,
): AgentAnswer | Reject {
  if (extranonce1.length !== AGENT_EXTRANONCE1_BYTES) {
    throw new PoolError('invalid_argument', `agents need an extranonce1 of 4 bytes, not ${extranonce1.length}`);
  }
  const userAgent = parseSubscribe(params).agent ?? '';
  if (!isAgent(userAgent, policy.agentPrefixes)) return reject('not-supported', 'Not a mining agent');
  if (state.phase !== 'new') return reject('other', 'Already subscribed');
  return {
    state: { ...state, phase: 'subscribed', userAgent },
    lines: [result(id, subscribeResult(bytesToHex(extranonce1), extranonce1, AGENT_EXTRANONCE2_BYTES))],
  };
}

/** What an agent gets with its authorization. */
export interface AgentStart {
  /** Difficulty of miners that join, as exponent of two. Agents keep the first they are told for the connection. */
  readonly exponent: number;
  /** The current job, by {@link encodeAgentNotify} with `clean` true; absent when there is none yet. */
  readonly notify?: Uint8Array;
}

/**
 * Answers a `mining.authorize` that was granted: version mask, reply, difficulty, job. One agent forgets the mask when
 * it comes after the reply, and difficulty and job when they come before.
 * Returns {@link Reject} `not-subscribed` before the subscription. Answer one that was refused by
 * {@link encodeAgentRefusal}.
 * @throws PoolError `invalid_argument` for an exponent out of range
 */
export function answerAuthorize(state: AgentHandshake, id: RequestId, start: AgentStart): AgentAnswer | Reject {
  if (state.phase === 'new') return reject('not-subscribed');
  const mask = maskLines(state);
  const lines = [...mask.lines, result(id, true)];
  // The first difficulty is the one that counts; a second authorization must not pretend otherwise.
  if (state.phase === 'subscribed') {
    lines.push(encodeSetDifficulty(difficultyText(start.exponent)));
    if (start.notify !== undefined) lines.push(start.notify);
  }
  return { state: { ...mask.state, phase: 'authorized' }, lines };
}

/** Agents give up after 60 seconds without a byte (15 before authorization); half of it leaves room for a slow link. */
export const KEEP_ALIVE_MS = 30_000;

/**
 * Milliseconds until the current job must be sent again, `clean` false, to keep the agent's read timeout from running
 * out; 0 when it is due now. Undefined before authorization, when an agent understands only answers.
 */
export function keepAliveDelayMs(state: AgentHandshake, lastSentMs: number, nowMs: number): number | undefined {
  if (state.phase !== 'authorized') return undefined;
  return Math.min(KEEP_ALIVE_MS, Math.max(0, lastSentMs + KEEP_ALIVE_MS - nowMs));
}
