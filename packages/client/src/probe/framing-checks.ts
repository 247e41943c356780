import { equalBytes } from '@headframe/primitives';
import { decodeSubscribeResult } from '@headframe/stratum-v1';
import { answerText, checkAnswerForm, type MainConnection, type ProbeContext, shortJson } from './context.js';
import type { Findings } from './report.js';
import type { ProbeWire, WireAnswer } from './wire.js';

/** Pause between the pieces of a line: longer than a network keeps two packets together. */
const PIECE_MS = 30;
/** How long to wait for an answer that must not come. */
const NULL_ID_MS = 300;

function answered(answer: WireAnswer): boolean {
  return answer.kind === 'result' || answer.kind === 'error';
}

/**
 * How the pool reads lines: in pieces, several at once, with ids of every type. On a connection of its own, not
 * authorized; a share is submitted there too, which must be refused.
 * @param main still open, so that the two connections may not have the same extranonce
 */
export async function checkFraming(main: MainConnection, context: ProbeContext): Promise<void> {
  const wire = await context.open();
  try {
    await checkSplit(wire, main, context);
    if (!wire.closed) await checkSeveral(wire, context);
    if (!wire.closed) await checkNullId(wire, context);
    if (!wire.closed) await checkEarlySubmit(wire, context);
  } finally {
    wire.close();
  }
}

async function checkSplit(wire: ProbeWire, main: MainConnection, context: ProbeContext): Promise<void> {
  const { agent, clock, timeoutMs, findings } = context;
  const { line, idText } = wire.request('mining.subscribe', [agent]);
  const third = Math.ceil(line.length / 3);
  for (let at = 0; at < line.length; at += third) {
    wire.send(line.slice(at, at + third));
    await new Promise<void>((resolve) => clock.setTimeout(resolve, PIECE_MS));
  }
  const answer = await wire.answer(idText, 0, timeoutMs);
  if (answered(answer)) findings.add('split lines', 'ok', 'A line in three pieces was put together.');
  else findings.add('split lines', 'wrong', `A line in three pieces: ${answerText(answer)}.`);
  if (answer.kind === 'result' && !main.wire.closed) checkDistinct(main, answer.result, findings);
}

/** Two connections with one extranonce1 make their miners do the same work. */
function checkDistinct(main: MainConnection, result: unknown, findings: Findings): void {
  const first = main.subscription;
  if (first === undefined) return;
  try {
    if (!equalBytes(decodeSubscribeResult(result).extranonce1, first.extranonce1)) return;
    main.isShared = true;
    findings.add('extranonce', 'wrong', 'Two connections at once got the same extranonce1: miners do the same work.');
  } catch {
    findings.add('subscribe', 'wrong', `The result of a second connection is ${shortJson(result)}.`);
  }
}

async function checkSeveral(wire: ProbeWire, { timeoutMs, findings }: ProbeContext): Promise<void> {
  const from = wire.lines.length;
  const requests = ['1001', '"probe-2"', '1003'].map((id) => wire.request('mining.extranonce.subscribe', [], id));
  wire.send(requests.map(({ line }) => line).join(''));
  const answers = await Promise.all(requests.map(({ idText }) => wire.answer(idText, from, timeoutMs)));
  const count = answers.filter(answered).length;
  if (count < requests.length) {
    findings.add('several messages', 'wrong', `Of ${requests.length} requests in one packet ${count} were answered.`);
  } else {
    const places = answers.map((answer) => ('line' in answer ? wire.lines.indexOf(answer.line) : -1));
    const isOrdered = places.every((place, i) => i === 0 || place > (places[i - 1] ?? -1));
    if (isOrdered) findings.add('several messages', 'ok', `${count} requests in one packet were answered in order.`);
    else findings.add('several messages', 'warning', 'Requests in one packet were answered out of order.');
  }
  for (const [i, answer] of answers.entries()) checkAnswerForm(answer, requests[i]?.idText ?? '', findings);
  if (answers.every(answered)) findings.add('id types', 'ok', 'Ids come back as they were sent, numbers and strings.');
  else findings.add('id types', 'not checked', 'Needs answers to several messages.');
}

async function checkNullId(wire: ProbeWire, { findings }: ProbeContext): Promise<void> {
  const from = wire.lines.length;
  wire.send('{"id":null,"method":"mining.extranonce.subscribe","params":[]}\n');
  const line = await wire.next(from, ({ message }) => message.kind === 'response' && message.id === null, NULL_ID_MS);
  if (line !== undefined) {
    findings.add(
      'null id',
      'warning',
      'A message with a null id was answered; BFGMiner takes that for another answer.',
    );
  } else if (wire.closed) findings.add('null id', 'wrong', 'A message with a null id closed the connection.');
  else findings.add('null id', 'ok', 'A message with a null id is not answered.');
}

async function checkEarlySubmit(wire: ProbeWire, { shortMs, findings }: ProbeContext): Promise<void> {
  const answer = await wire.ask('mining.submit', ['headframe-probe', '1', '00000000', '00000000', '00000000'], shortMs);
  const text = `A submit before authorize: ${answerText(answer)}`;
  if (answer.kind === 'error') {
    const isUsual = answer.error.code === 24 || answer.error.code === 25;
    findings.add('submit before authorize', isUsual ? 'ok' : 'warning', `${text}${isUsual ? '' : '; 24 is usual'}.`);
  } else if (answer.kind === 'result' && answer.result === true) {
    findings.add('submit before authorize', 'wrong', `${text}: anybody may submit.`);
  } else if (answer.kind === 'result') {
    findings.add('submit before authorize', 'warning', `${text} and no reason.`);
  } else findings.add('submit before authorize', 'warning', `${text}; 24 is usual.`);
}
