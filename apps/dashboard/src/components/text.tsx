import type { Amount } from '@headframe/http';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { coins } from '../format/amount.js';
import { UNKNOWN } from '../format/number.js';
import { middle, safeLink } from '../format/text.js';
import { absolute, relative } from '../format/time.js';
import { hrefOf } from '../route.js';
import { useNow, useServices } from '../services.js';

/** `3 min ago`, with the whole time in the title. */
export function Time({ ms }: { readonly ms: number | null | undefined }): JSX.Element {
  const now = useNow();
  if (ms === null || ms === undefined) return <>{UNKNOWN}</>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={absolute(ms)} class="nowrap">
      {relative(ms, now)}
    </time>
  );
}

/** Money: `1.25 BTC`, with base units in the title. */
export function Money({
  amount,
  symbol,
}: {
  readonly amount: Amount | null;
  readonly symbol?: string | undefined;
}): JSX.Element {
  if (amount === null) return <>{UNKNOWN}</>;
  return (
    <span class="nowrap" title={`${amount.units} base units`}>
      {coins(amount.coins)}
      {symbol === undefined ? '' : ` ${symbol}`}
    </span>
  );
}

/** A link out of the pool, or the bare text when there is no such link. */
export function OutLink(props: {
  readonly link: string | null | undefined;
  readonly title?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const href = safeLink(props.link);
  if (href === undefined) return <span title={props.title}>{props.children}</span>;
  return (
    <a href={href} title={props.title} target="_blank" rel="noopener noreferrer">
      {props.children}
      <span class="sr-only"> (opens a block explorer)</span>
    </a>
  );
}

/** A hash or txid, shortened in the middle. */
export function Hash({
  text,
  link,
  head,
}: {
  readonly text: string;
  readonly link?: string | null;
  readonly head?: number;
}): JSX.Element {
  return (
    <OutLink link={link} title={text}>
      <code>{middle(text, head ?? 10, 8)}</code>
    </OutLink>
  );
}

/** An account, shortened, that leads to its page. */
export function AccountLink({ account }: { readonly account: string }): JSX.Element {
  return (
    <a href={hrefOf({ page: 'account', account })} title={account}>
      <code>{middle(account, 10, 6)}</code>
    </a>
  );
}

export function WorkerLink({ account, worker }: { readonly account: string; readonly worker: string }): JSX.Element {
  return <a href={hrefOf({ page: 'worker', account, worker })}>{workerName(account, worker)}</a>;
}

/** A worker's name without the account in front of it. */
export function workerName(account: string, worker: string): string {
  if (worker === account) return '(no name)';
  const own = worker.startsWith(`${account}.`) ? worker.slice(account.length + 1) : worker;
  return own === '' ? '(no name)' : middle(own, 18, 8);
}

const COPIED_MS = 1_500;

/** Copies a text to the clipboard and says so. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const { announce } = useServices();
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  async function copy(): Promise<void> {
    const isCopied = await writeClipboard(text);
    setState(isCopied ? 'copied' : 'failed');
    announce(isCopied ? `Copied ${label}` : 'Copying is not allowed here; select the text instead');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setState('idle'), COPIED_MS);
  }
  return (
    <button type="button" class="copy" aria-label={`Copy ${label}`} onClick={copy}>
      {state === 'idle' ? 'Copy' : state === 'copied' ? 'Copied' : 'Failed'}
    </button>
  );
}

/** The clipboard of the browser exists on https and localhost only; pools at home are neither, so the old way remains. */
async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'sr-only';
    document.body.append(area);
    area.select();
    try {
      return document.execCommand('copy');
    } finally {
      area.remove();
    }
  }
}
