import { UsageError } from '../args.js';
import { type Answers, answerProblem, QUESTIONS, type Question, type QuestionContext } from './questions.js';

/** Asks a person. */
export interface Asker {
  /** The answer; undefined when the person gave up. */
  ask(question: Question, context: QuestionContext, preset: string | undefined): Promise<string | undefined>;
  /** Called after an answer, so that the node can be tried in between. False: the question of this name comes again. */
  answered?(question: Question, context: QuestionContext): Promise<string | undefined>;
}

export interface InterviewOptions {
  /** Answers given as options. */
  readonly given: Answers;
  readonly file: string;
  /** Undefined: presets are taken, and what has none must be given. */
  readonly asker: Asker | undefined;
}

/**
 * All answers: those given, asked for where there is somebody to ask, else presets. Undefined when the person gave up.
 * @throws UsageError that names the option which is missing, wrong, or out of place
 */
export async function interview({ given, file, asker }: InterviewOptions): Promise<Answers | undefined> {
  const answers = new Map<string, string>();
  for (let at = 0; at < QUESTIONS.length; at++) {
    const question = QUESTIONS[at];
    if (question === undefined) break;
    const context = { answers, file };
    if (question.when?.(context) === false) {
      if (given.has(question.name)) throw new UsageError(outOfPlace(question));
      continue;
    }
    const text = given.get(question.name) ?? question.implied?.(given) ?? (await answer(question, context, asker));
    if (text === undefined) return undefined;
    const problem = answerProblem(question, text, context);
    if (problem !== undefined)
      throw new UsageError(`--${question.name}: ${problem} (found "${shown(question, text)}")`);
    answers.set(question.name, text);
    const again = await asker?.answered?.(question, { answers, file });
    if (again !== undefined && isAsked(again, given)) at = QUESTIONS.findIndex(({ name }) => name === again) - 1;
  }
  return answers;
}

function isAsked(name: string, given: Answers): boolean {
  return !given.has(name) && QUESTIONS.find((question) => question.name === name)?.implied?.(given) === undefined;
}

async function answer(
  question: Question,
  context: QuestionContext,
  asker: Asker | undefined,
): Promise<string | undefined> {
  const preset = question.preset?.(context);
  if (asker !== undefined) return asker.ask(question, context, preset);
  if (preset !== undefined) return preset;
  throw new UsageError(`--${question.name} ${question.value} is needed: ${question.help}`);
}

function shown(question: Question, text: string): string {
  return question.kind === 'secret' ? '...' : text;
}

function outOfPlace({ name }: Question): string {
  return `--${name} has no place beside the other answers; leave it out`;
}
