import { type CANCEL_SYMBOL, confirm, isCancel, password, select, text } from '@clack/prompts';
import type { Asker } from './interview.js';
import { answerProblem, choicesOf, type Question, type QuestionContext } from './questions.js';

/** Asks on the terminal, with the preset filled in. */
export const terminalAsker: Pick<Asker, 'ask'> = {
  async ask(question, context, preset) {
    const message = typeof question.message === 'string' ? question.message : question.message(context);
    const found = await prompt(question, message, context, preset);
    return isCancel(found) ? undefined : found;
  },
};

async function prompt(
  question: Question,
  message: string,
  context: QuestionContext,
  preset: string | undefined,
): Promise<string | typeof CANCEL_SYMBOL> {
  const validate = (value: string | undefined): string | undefined =>
    answerProblem(question, (value ?? '').trim(), context);
  switch (question.kind) {
    case 'yes-no': {
      const found = await confirm({ message, initialValue: preset === 'yes' });
      return typeof found === 'symbol' ? found : found ? 'yes' : 'no';
    }
    case 'choice': {
      const options = (choicesOf(question, context) ?? []).map(({ value, hint }) =>
        hint === '' ? { value, label: value } : { value, label: value, hint },
      );
      return select({ message, options, ...(preset !== undefined && { initialValue: preset }) });
    }
    case 'secret': {
      const found = await password({ message, validate });
      return found ?? '';
    }
    default: {
      const found = await text({ message, validate, ...(preset !== undefined && { initialValue: preset }) });
      return typeof found === 'symbol' ? found : (found ?? '').trim();
    }
  }
}
