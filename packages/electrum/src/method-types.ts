import { z } from 'zod';

/** One parameter: its name for requests with named parameters, and what it must be. Optional ones come last. */
export interface MethodArgument<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly schema: Schema;
}

/** Parameters as a handler gets them: checked, and with defaults in place. */
export type ArgumentValues<Args extends readonly MethodArgument[]> = {
  -readonly [Index in keyof Args]: z.output<Args[Index]['schema']>;
};

/** Parameters as a caller writes them: those with a default may be left out at the end. */
export type ArgumentInputs<Args extends readonly MethodArgument[]> = Args extends readonly [
  infer First extends MethodArgument,
  ...infer Rest extends readonly MethodArgument[],
]
  ? undefined extends z.input<First['schema']>
    ? [value?: z.input<First['schema']>, ...rest: ArgumentInputs<Rest>]
    : [value: z.input<First['schema']>, ...rest: ArgumentInputs<Rest>]
  : [];

/** How a method is called and answered from one version of the protocol on. */
export interface MethodForm<
  Args extends readonly MethodArgument[] = readonly MethodArgument[],
  Result extends z.ZodType = z.ZodType,
  Notification extends z.ZodType | undefined = z.ZodType | undefined,
> {
  readonly args: Args;
  /** Takes the `params` of a request, positional or named, and gives the list of values. A Standard Schema. */
  readonly params: z.ZodType<ArgumentValues<Args>>;
  readonly result: Result;
  /** Parameters of the notification that a subscription brings. */
  readonly notification: Notification;
}

/** A method with all its forms, by the version each begins with. */
export interface MethodSpec<
  Modern extends Readonly<Record<string, MethodForm>> = Readonly<Record<string, MethodForm>>,
  Old extends Readonly<Record<string, MethodForm>> = Readonly<Record<string, MethodForm>>,
> {
  /** One line for the reference page. */
  readonly summary: string;
  /** First version without the method. */
  readonly removedIn: string | undefined;
  /** True when calling it makes the server send notifications of the same name. */
  readonly subscription: boolean;
  /** Forms that are in use in 1.4 or later. */
  readonly modern: Modern;
  /** Forms that went away before 1.4. */
  readonly old: Old;
}

export function arg<const Name extends string, Schema extends z.ZodType>(
  name: Name,
  schema: Schema,
): MethodArgument<Name, Schema> {
  return { name, schema };
}

interface FormOptions {
  /** Take more parameters than there are, and ignore them. */
  readonly ignoreExtra?: boolean;
}

export function form<const Args extends readonly MethodArgument[], Result extends z.ZodType>(
  args: Args,
  result: Result,
  options: FormOptions = {},
): MethodForm<Args, Result, undefined> {
  return { args, params: paramsSchema(args, options), result, notification: undefined };
}

/** A form of a subscription. */
export function subscription<
  const Args extends readonly MethodArgument[],
  Result extends z.ZodType,
  Notification extends z.ZodType,
>(args: Args, result: Result, notification: Notification): MethodForm<Args, Result, Notification> {
  return { args, params: paramsSchema(args, {}), result, notification };
}

export function method<
  const Modern extends Readonly<Record<string, MethodForm>>,
  const Old extends Readonly<Record<string, MethodForm>>,
>(
  summary: string,
  forms: { readonly modern?: Modern; readonly old?: Old; readonly removedIn?: string },
): MethodSpec<Modern, Old> {
  const modern = forms.modern ?? ({} as Modern);
  const old = forms.old ?? ({} as Old);
  const all = [...Object.values<MethodForm>(modern), ...Object.values<MethodForm>(old)];
  const notifies = all.some(({ notification }) => notification !== undefined);
  return { summary, removedIn: forms.removedIn, subscription: notifies, modern, old };
}

function paramsSchema<const Args extends readonly MethodArgument[]>(
  args: Args,
  options: FormOptions,
): z.ZodType<ArgumentValues<Args>> {
  const schema = z.unknown().transform((raw, context) => {
    const given = inOrder(args, raw ?? [], options, context);
    if (given === undefined) return z.NEVER;
    return args.map(({ name, schema: argument }, index) => {
      const parsed = argument.safeParse(given[index]);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) {
        context.addIssue({ code: 'custom', message: issue.message, path: [name, ...issue.path] });
      }
      return undefined;
    });
  });
  // What the function above builds, item by item; the compiler does not follow a map() over a tuple.
  return schema as unknown as z.ZodType<ArgumentValues<Args>>;
}

/** Values in the order of the arguments; undefined after an issue was raised. */
function inOrder(
  args: readonly MethodArgument[],
  raw: unknown,
  options: FormOptions,
  context: z.RefinementCtx,
): readonly unknown[] | undefined {
  if (Array.isArray(raw)) {
    if (raw.length <= args.length || options.ignoreExtra === true) return raw.slice(0, args.length);
    context.addIssue({ code: 'custom', message: `expected at most ${args.length} arguments, got ${raw.length}` });
    return undefined;
  }
  if (typeof raw !== 'object' || raw === null) {
    context.addIssue({ code: 'custom', message: 'params must be a list or an object' });
    return undefined;
  }
  const named = new Map<string, unknown>(Object.entries(raw));
  const values = args.map(({ name }) => {
    const value = named.get(name);
    named.delete(name);
    return value;
  });
  if (named.size === 0 || options.ignoreExtra === true) return values;
  context.addIssue({ code: 'custom', message: 'unknown argument name' });
  return undefined;
}
