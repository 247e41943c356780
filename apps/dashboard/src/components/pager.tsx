import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** Where in a list the reader is. */
export interface Paging {
  /** `after` of the page shown; undefined for the first. */
  readonly after: string | undefined;
  readonly number: number;
  readonly back: () => void;
  readonly go: (next: string) => void;
}

/** Remembers the way through pages, so that one can go back: the API only tells the next. */
export function usePaging(): Paging {
  const [trail, setTrail] = useState<readonly string[]>([]);
  return {
    after: trail.at(-1),
    number: trail.length + 1,
    back: () => setTrail((now) => now.slice(0, -1)),
    go: (next) => setTrail((now) => [...now, next]),
  };
}

/** Buttons to the newer and the older page; nothing when all is on one. */
export function Pager(props: {
  readonly paging: Paging;
  readonly next: string | null;
  readonly what: string;
  readonly back?: string;
  readonly forward?: string;
}): JSX.Element | null {
  const { paging, next } = props;
  if (paging.number === 1 && next === null) return null;
  return (
    <nav class="pager" aria-label={`Pages of ${props.what}`}>
      <span>Page {paging.number}</span>
      <button type="button" class="button" disabled={paging.number === 1} onClick={paging.back}>
        {props.back ?? 'Newer'}
      </button>
      <button type="button" class="button" disabled={next === null} onClick={() => next !== null && paging.go(next)}>
        {props.forward ?? 'Older'}
      </button>
    </nav>
  );
}
