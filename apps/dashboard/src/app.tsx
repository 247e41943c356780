import type { PoolInfo } from '@headframe/http';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useErrorBoundary, useRef, useState } from 'preact/hooks';
import { endpoints } from './api/endpoints.js';
import type { LiveState } from './api/live.js';
import { Card } from './components/card.js';
import { Header } from './components/header.js';
import { Empty } from './components/states.js';
import { Account } from './pages/account.js';
import { Block, Blocks } from './pages/blocks.js';
import { Connect } from './pages/connect.js';
import { Miners } from './pages/miners.js';
import { Nodes } from './pages/nodes.js';
import { Overview } from './pages/overview.js';
import { Payments } from './pages/payments.js';
import { Rejects } from './pages/rejects.js';
import { Worker } from './pages/worker.js';
import { hrefOf, parseRoute, type Route } from './route.js';
import { useApi } from './services.js';

/** The page of a route. */
function Page({ route }: { readonly route: Route }): JSX.Element {
  switch (route.page) {
    case 'overview':
      return <Overview />;
    case 'blocks':
      return <Blocks />;
    case 'block':
      return <Block key={route.hash} hash={route.hash} />;
    case 'miners':
      return <Miners />;
    case 'payments':
      return <Payments />;
    case 'rejects':
      return <Rejects />;
    case 'nodes':
      return <Nodes />;
    case 'connect':
      return <Connect />;
    case 'account':
      return <Account key={route.account} account={route.account} />;
    case 'worker':
      return <Worker key={`${route.account}/${route.worker}`} account={route.account} worker={route.worker} />;
    case 'missing':
      return (
        <Card title="Not found">
          <Empty title="There is no such page">
            Go to the <a href={hrefOf({ page: 'overview' })}>overview</a>, or search for an account above.
          </Empty>
        </Card>
      );
  }
}

const TITLES: Readonly<Record<Route['page'], string>> = {
  overview: 'Overview',
  blocks: 'Blocks',
  block: 'Block',
  miners: 'Miners',
  payments: 'Payments',
  rejects: 'Rejected shares',
  nodes: 'Nodes and work',
  connect: 'Connect',
  account: 'Account',
  worker: 'Worker',
  missing: 'Not found',
};

/** Follows the address of the page. */
function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}

export function App({ live, said }: { readonly live: LiveState; readonly said: string }): JSX.Element {
  const route = useRoute();
  const pool = useApi(endpoints.pool).data;
  const main = useRef<HTMLElement>(null);
  const address = hrefOf(route);
  const isFirst = useRef(true);

  useEffect(() => {
    document.title = `${TITLES[route.page]} - ${pool?.name ?? 'Mining pool'}`;
  }, [route.page, pool?.name]);

  // A new page begins at its top, for eyes and for screen readers alike.
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [address]);

  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on this page, whose address the router would take for a route. */}
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The part behind # is the route; going there would leave the page.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <Header route={route} pool={pool} live={live} />
      <main id="main" ref={main} tabindex={-1}>
        {pool !== undefined && <Warnings pool={pool} />}
        <Boundary key={address}>
          <Page route={route} />
        </Boundary>
      </main>
      <footer class="footer">
        <span>Powered by Headframe</span>
        <a href="api/v1/openapi.json">API</a>
        <span>Times are in your time zone; rest on one to see it whole.</span>
      </footer>
      <div class="sr-only" aria-live="polite">
        {said}
      </div>
    </>
  );
}

/** What everybody should know before reading any number. */
function Warnings({ pool }: { readonly pool: PoolInfo }): JSX.Element | null {
  if (pool.storage.state === 'failing') {
    return (
      <p class="notice notice-bad">
        The pool cannot store shares at the moment{pool.storage.reason === null ? '' : ` (${pool.storage.reason})`}.
        Blocks are still sent; miners wait until storing works again.
      </p>
    );
  }
  if (!pool.node.ready) {
    return (
      <p class="notice">The pool's node is not ready{pool.node.reason === null ? '' : `: ${pool.node.reason}`}.</p>
    );
  }
  if (pool.isPaused)
    return <p class="notice">The pool is paused: miners that are connected go on, new ones are turned away.</p>;
  return null;
}

/** An error in one page leaves the others usable. */
function Boundary({ children }: { readonly children: ComponentChildren }): JSX.Element {
  const [error, reset] = useErrorBoundary();
  if (error === undefined) return <>{children}</>;
  return (
    <Card title="This page failed">
      <div class="empty" role="alert">
        <strong>Something the pool said could not be shown</strong>
        <p>The page and the pool may be of different versions; loading the page again often helps.</p>
        <button type="button" class="button" onClick={reset}>
          Try again
        </button>
      </div>
    </Card>
  );
}
