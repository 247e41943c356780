import { u32ToHex } from '@headframe/primitives';
import { decodeSubscribeResult } from '@headframe/stratum-v1';
import { answerText, checkAnswerForm, type MainConnection, type ProbeContext, shortJson } from './context.js';
import { printable } from './report.js';
import type { ProbeWire } from './wire.js';

/** Small enough for every pool: a wish that changes nothing where the difficulty is higher anyway. */
const MINIMUM_DIFFICULTY = 0.0001;

/** `mining.configure` (BIP 310). @returns the granted mask */
export async function checkConfigure(wire: ProbeWire, context: ProbeContext): Promise<number> {
  const { findings, shortMs } = context;
  const from = wire.lines.length;
  const params = [
    ['version-rolling', 'minimum-difficulty'],
    {
      'version-rolling.mask': 'ffffffff',
      'version-rolling.min-bit-count': 2,
      'minimum-difficulty.value': MINIMUM_DIFFICULTY,
    },
  ];
  const { line, idText } = wire.request('mining.configure', params);
  wire.send(line);
  const answer = await wire.answer(idText, from, shortMs);
  checkAnswerForm(answer, idText, findings);
  if (answer.kind !== 'result' || typeof answer.result !== 'object' || answer.result === null) {
    const status = answer.kind === 'error' ? 'not supported' : 'warning';
    findings.add('configure', status, `mining.configure: ${answerText(answer)}.`);
    findings.add('version rolling', 'not supported', 'Needs mining.configure.');
    findings.add('minimum difficulty', 'not supported', 'Needs mining.configure.');
    return 0;
  }
  const isFirst = wire.lines[from] === answer.line;
  if (isFirst) findings.add('configure', 'ok', 'Answered with the next line, as cgminer needs it.');
  else findings.add('configure', 'wrong', 'Another line came before the answer: cgminer gives up the pool.');
  const result: { readonly [key: string]: unknown } = { ...answer.result };
  const minimum = result['minimum-difficulty'];
  if (minimum === true) findings.add('minimum difficulty', 'ok', 'Granted.');
  else findings.add('minimum difficulty', 'not supported', `The pool says ${shortJson(minimum)}.`);
  const mask = result['version-rolling.mask'];
  if (result['version-rolling'] !== true) {
    findings.add('version rolling', 'not supported', `The pool says ${shortJson(result['version-rolling'])}.`);
    return 0;
  }
  if (typeof mask !== 'string' || !/^[0-9a-fA-F]{8}$/.test(mask)) {
    findings.add('version rolling', 'wrong', `Granted, but the mask is ${shortJson(mask)} and not 8 hex digits.`);
    return 0;
  }
  const bits = Number.parseInt(mask, 16);
  context.findings.facts.versionMask = u32ToHex(bits);
  if (bits === 0) findings.add('version rolling', 'wrong', 'Granted with an empty mask: cgminer gives up the pool.');
  else findings.add('version rolling', 'ok', `Mask ${u32ToHex(bits)}.`);
  return bits;
}

/** `mining.subscribe` and what it hands out. */
export async function checkSubscribe(main: MainConnection, context: ProbeContext): Promise<void> {
  const { findings, timeoutMs, agent } = context;
  const { wire } = main;
  const from = wire.lines.length;
  const { line, idText } = wire.request('mining.subscribe', [agent]);
  wire.send(line);
  const answer = await wire.answer(idText, from, timeoutMs);
  checkAnswerForm(answer, idText, findings);
  if (answer.kind !== 'result') {
    findings.add('subscribe', 'wrong', `mining.subscribe: ${answerText(answer)}.`);
    return;
  }
  findings.facts.subscribeMs = answer.latencyMs;
  try {
    main.subscription = decodeSubscribeResult(answer.result);
  } catch {
    findings.add(
      'subscribe',
      'wrong',
      `The result is ${shortJson(answer.result)}, not [subscriptions, extranonce1, size].`,
    );
    return;
  }
  const { extranonce1, extranonce2Size, sessionId } = main.subscription;
  const id = sessionId === undefined ? 'no session id' : `session id of ${sessionId.length} characters`;
  if (wire.lines[from] !== answer.line) {
    findings.add('subscribe', 'warning', 'A line came before the answer, which several miners take for the answer.');
  } else findings.add('subscribe', 'ok', `Answered in ${answer.latencyMs.toFixed(1)} ms; ${id}.`);
  findings.facts.extranonce1Bytes = extranonce1.length;
  findings.facts.extranonce2Bytes = extranonce2Size;
  const sizes = `extranonce1 ${extranonce1.length} bytes, extranonce2 ${extranonce2Size} bytes`;
  if (extranonce2Size === 0) findings.add('extranonce', 'wrong', `${sizes}: the miner has nothing to vary.`);
  else if (extranonce2Size < 4 || extranonce2Size > 8) {
    findings.add('extranonce', 'warning', `${sizes}; miners are sure to take 4 to 8 for extranonce2.`);
  } else if (extranonce1.length > 8) {
    findings.add('extranonce', 'warning', `${sizes}; some miners keep 8 bytes of extranonce1.`);
  } else findings.add('extranonce', 'ok', `${sizes}.`);
}

/** Methods that clients understand while they wait for the authorize answer; any other is taken for the answer. */
const HARMLESS = new Set([
  'mining.notify',
  'mining.set_difficulty',
  'client.show_message',
  'client.reconnect',
  'client.get_version',
]);

/** `mining.authorize`. */
export async function checkAuthorize(main: MainConnection, context: ProbeContext): Promise<void> {
  const { findings, timeoutMs, worker } = context;
  const { wire } = main;
  const { username, password = 'x' } = worker ?? { username: 'headframe-probe' };
  const from = wire.lines.length;
  main.authorizeFrom = from;
  const { line, idText } = wire.request('mining.authorize', [username, password]);
  wire.send(line);
  const answer = await wire.answer(idText, from, timeoutMs);
  checkAnswerForm(answer, idText, findings);
  if (answer.kind === 'result' && answer.result === true) {
    main.authorized = true;
    findings.facts.authorizeMs = answer.latencyMs;
    const strange = wire.lines.slice(from, wire.lines.indexOf(answer.line)).find(({ message }) => {
      return (message.kind === 'notification' || message.kind === 'request') && !HARMLESS.has(message.method);
    })?.message;
    if (strange?.kind === 'notification' || strange?.kind === 'request') {
      const method = printable(strange.method);
      findings.add('authorize', 'wrong', `${method} came before the answer: cgminer takes it for a refusal.`);
    } else findings.add('authorize', 'ok', `Answered in ${answer.latencyMs.toFixed(1)} ms.`);
    return;
  }
  if (worker === undefined) {
    findings.add('authorize', 'not checked', `Without --user: ${answerText(answer)}.`);
  } else if (answer.kind === 'error' || answer.kind === 'result') {
    findings.add('authorize', 'wrong', `The worker was not authorized: ${answerText(answer)}.`);
  } else findings.add('authorize', 'wrong', `mining.authorize: ${answerText(answer)}.`);
}
