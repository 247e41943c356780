import { answerText, checkAnswerForm, type MainConnection, type ProbeContext } from './context.js';
import { isHexList } from './values.js';

/** How long a pool may take to follow a wish for a difficulty. */
const SUGGEST_MS = 2000;

/** Requests that a pool may or may not know. */
export async function checkRequests(main: MainConnection, context: ProbeContext): Promise<void> {
  const { wire } = main;
  const steps = [checkExtranonceSubscription, checkPing, checkTransactions, checkSuggest, checkUnknown];
  for (const step of steps) if (!wire.closed) await step(main, context);
}

async function checkExtranonceSubscription({ wire }: MainConnection, context: ProbeContext): Promise<void> {
  const { findings, shortMs } = context;
  const answer = await wire.ask('mining.extranonce.subscribe', [], shortMs);
  const text = `mining.extranonce.subscribe: ${answerText(answer)}`;
  if (answer.kind === 'result' && answer.result === true) findings.add('extranonce subscription', 'ok', `${text}.`);
  else if (answer.kind === 'silence' || answer.kind === 'closed') {
    findings.add('extranonce subscription', 'warning', `${text}; miners wait for one.`);
  } else findings.add('extranonce subscription', 'not supported', `${text}.`);
}

async function checkPing({ wire }: MainConnection, { findings, shortMs }: ProbeContext): Promise<void> {
  const answer = await wire.ask('mining.ping', [], shortMs);
  if (answer.kind === 'result') findings.add('ping', 'ok', `Answered in ${answer.latencyMs.toFixed(1)} ms.`);
  else findings.add('ping', 'not supported', `mining.ping: ${answerText(answer)}.`);
}

async function checkTransactions(main: MainConnection, { findings, shortMs }: ProbeContext): Promise<void> {
  const { wire, job } = main;
  if (job === undefined) {
    findings.add('transactions', 'not checked', 'Needs a job.');
    return;
  }
  const answer = await wire.ask('mining.get_transactions', [job.jobId], shortMs);
  if (answer.kind !== 'result') {
    findings.add('transactions', 'not supported', `mining.get_transactions: ${answerText(answer)}.`);
  } else if (!isHexList(answer.result)) {
    findings.add('transactions', 'wrong', 'mining.get_transactions: the answer is no list of transactions in hex.');
  } else findings.add('transactions', 'ok', `${answer.result.length} transactions beside the coinbase.`);
}

async function checkSuggest(main: MainConnection, { findings, shortMs }: ProbeContext): Promise<void> {
  const { wire, job } = main;
  if (job === undefined) {
    findings.add('suggested difficulty', 'not checked', 'Needs a job.');
    return;
  }
  const from = wire.lines.length;
  const wish = job.difficulty * 2;
  const answer = await wire.ask('mining.suggest_difficulty', [wish], shortMs);
  if (answer.kind !== 'result') {
    findings.add('suggested difficulty', 'not supported', `mining.suggest_difficulty: ${answerText(answer)}.`);
    return;
  }
  const line = await wire.next(
    from,
    ({ message }) => message.kind === 'notification' && message.method === 'mining.set_difficulty',
    SUGGEST_MS,
  );
  if (line === undefined) {
    findings.add('suggested difficulty', 'ok', `Twice the difficulty was taken note of and not given at once.`);
  } else findings.add('suggested difficulty', 'ok', 'Twice the difficulty was asked for, and a new one came.');
}

async function checkUnknown({ wire }: MainConnection, { findings, shortMs }: ProbeContext): Promise<void> {
  const from = wire.lines.length;
  const { line, idText } = wire.request('mining.headframe_probe', []);
  wire.send(line);
  const answer = await wire.answer(idText, from, shortMs);
  checkAnswerForm(answer, idText, findings);
  const text = `An unknown method: ${answerText(answer)}`;
  if (answer.kind === 'error') findings.add('unknown method', 'ok', `${text}.`);
  else if (answer.kind === 'closed')
    findings.add('unknown method', 'wrong', `${text}: miners with newer methods fail.`);
  else findings.add('unknown method', 'warning', `${text}; an error would say that it is unknown.`);
}
