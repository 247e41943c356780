import type { PoolInfo } from '@headframe/http';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LiveState } from '../api/live.js';
import { capital } from '../format/text.js';
import { hrefOf, type Route } from '../route.js';
import { useServices } from '../services.js';
import { readRecent } from '../state/recent.js';
import { nextTheme, readTheme, type Theme, writeTheme } from '../state/theme.js';
import { Logo, MoonIcon, SearchIcon, SunIcon, SystemIcon } from './icons.js';

const LINKS = [
  ['overview', 'Overview'],
  ['blocks', 'Blocks'],
  ['miners', 'Miners'],
  ['payments', 'Payments'],
  ['rejects', 'Rejects'],
  ['nodes', 'Nodes'],
  ['connect', 'Connect'],
] as const;

const SECTION: Readonly<Partial<Record<Route['page'], string>>> = {
  block: 'blocks',
  account: 'miners',
  worker: 'miners',
};

export function Header(props: {
  readonly route: Route;
  readonly pool: PoolInfo | undefined;
  readonly live: LiveState;
}): JSX.Element {
  const { route, pool } = props;
  const section = SECTION[route.page] ?? route.page;
  return (
    <header class="header">
      <div class="header-row">
        <a class="brand" href={hrefOf({ page: 'overview' })}>
          <Logo />
          <span>
            <span class="brand-name">{pool?.name ?? 'Mining pool'}</span>
            <span class="brand-coin">{pool && `${capital(pool.coin)} ${pool.network}`}</span>
          </span>
        </a>
        <Search />
        <LiveBadge live={props.live} />
        <ThemeButton />
      </div>
      <Pages section={section} />
    </header>
  );
}

/** On a narrow page the links scroll sideways, and the one to this page comes into view. */
function Pages({ section }: { readonly section: string }): JSX.Element {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = bar.current?.querySelector('[aria-current]');
    if (bar.current === null || current === null || current === undefined) return;
    const link = current.getBoundingClientRect();
    const frame = bar.current.getBoundingClientRect();
    if (link.left < frame.left || link.right > frame.right) {
      bar.current.scrollLeft += link.left - frame.left - (frame.width - link.width) / 2;
    }
  }, [section]);
  return (
    <nav class="nav" aria-label="Pages" ref={bar}>
      <ul>
        {LINKS.map(([page, label]) => (
          <li key={page}>
            <a href={hrefOf({ page })} aria-current={section === page ? 'page' : undefined}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Search(): JSX.Element {
  const { storage } = useServices();
  const [text, setText] = useState('');
  const [recent, setRecent] = useState(() => readRecent(storage));
  const go = (event: SubmitEvent): void => {
    event.preventDefault();
    const account = text.trim();
    if (account === '') return;
    location.hash = hrefOf({ page: 'account', account });
    setText('');
  };
  return (
    <search class="search">
      <form onSubmit={go}>
        <input
          type="search"
          name="account"
          list="recent-accounts"
          aria-label="Account or address"
          placeholder="Your address or account"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={256}
          value={text}
          onFocus={() => setRecent(readRecent(storage))}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <datalist id="recent-accounts">
          {recent.map((account) => (
            <option key={account} value={account} />
          ))}
        </datalist>
        <button type="submit" aria-label="Search">
          <SearchIcon />
        </button>
      </form>
    </search>
  );
}

const LIVE: Readonly<Record<LiveState, readonly [text: string, title: string]>> = {
  connecting: ['Connecting', 'Connecting to the pool'],
  live: ['Live', 'News arrive as they happen'],
  polling: ['Delayed', 'No live feed at the moment; the page asks every ten seconds'],
  offline: ['Offline', 'The pool does not answer; the page keeps trying'],
};

function LiveBadge({ live }: { readonly live: LiveState }): JSX.Element {
  const [text, title] = LIVE[live];
  return (
    <span class={`live live-${live}`} role="status" title={title}>
      {text}
    </span>
  );
}

const THEMES: Readonly<Record<Theme, readonly [text: string, icon: () => JSX.Element]>> = {
  system: ['as the system has them', SystemIcon],
  light: ['light', SunIcon],
  dark: ['dark', MoonIcon],
};

function ThemeButton(): JSX.Element {
  const { storage } = useServices();
  const [theme, setTheme] = useState(() => readTheme(storage));
  useEffect(() => {
    const { dataset } = document.documentElement;
    if (theme === 'system') delete dataset.theme;
    else dataset.theme = theme;
  }, [theme]);
  const [text, Icon] = THEMES[theme];
  const label = `Colours: ${text}. Change`;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      onClick={() => {
        const next = nextTheme(theme);
        writeTheme(storage, next);
        setTheme(next);
      }}
    >
      <Icon />
    </button>
  );
}
