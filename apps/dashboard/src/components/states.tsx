import type { ComponentChildren, JSX } from 'preact';
import { relative } from '../format/time.js';
import { type Answer, useNow } from '../services.js';

/** Places of lines that are still to come. */
export function Skeleton({ lines }: { readonly lines: number }): JSX.Element {
  return (
    <div class="card-body" aria-hidden="true">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class="skeleton skeleton-line" />
      ))}
    </div>
  );
}

/** Nothing to show: what that means, and what to do about it. */
export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

/** An answer that is younger is shown without a word when asking again failed: the next try often works. */
const PATIENCE_MS = 30_000;

/** An answer did not come, or not lately. Only the first is called out: the age of an old one changes all the time. */
function Problem<Data>({ answer }: { readonly answer: Answer<Data> }): JSX.Element | null {
  const now = useNow();
  const { updatedMs, error } = answer;
  const isOld = updatedMs > 0;
  if (isOld && now - updatedMs < PATIENCE_MS) return null;
  return (
    <div class="notice notice-bad" role={isOld ? undefined : 'alert'}>
      <span>
        {error?.message} {isOld && <span class="muted">Shown as of {relative(updatedMs, now)}.</span>}
      </span>
      <button type="button" class="button" onClick={answer.retry}>
        Try again
      </button>
    </div>
  );
}

/** Parts that a pool may be run without; asking for them is answered with such a code. */
const PARTS_OFF: Readonly<Record<string, string>> = {
  storage_off: 'This pool keeps no statistics',
  payments_off: 'This pool makes no payments',
};

/** Shows an answer: a skeleton before it is there, the last one with a notice when asking again failed. */
export function Loaded<Data>(props: {
  readonly answer: Answer<Data>;
  readonly lines?: number;
  readonly skeleton?: ComponentChildren;
  readonly children: (data: Data) => ComponentChildren;
}): JSX.Element {
  const { data, error } = props.answer;
  const partOff = PARTS_OFF[error?.code ?? ''];
  if (partOff !== undefined)
    return <Empty title={partOff}>Whoever runs it can turn them on in its configuration.</Empty>;
  return (
    <>
      {error !== undefined && <Problem answer={props.answer} />}
      {data !== undefined
        ? props.children(data)
        : error === undefined && (props.skeleton ?? <Skeleton lines={props.lines ?? 4} />)}
    </>
  );
}
