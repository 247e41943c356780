import type { ReloadResult } from '@headframe/pool';
import type { Clock, Logger, MaybePromise } from '@headframe/primitives';
import type { HttpLimits } from './limits.js';
import type { MetricsFactory } from './metrics-route.js';

/** Links to a block explorer: `{hash}`, `{txid}` and `{address}` are filled in. */
export interface ExplorerLinks {
  readonly block?: string | undefined;
  readonly transaction?: string | undefined;
  readonly address?: string | undefined;
}

/** Options of the HTTP server. The `api` key of a pool's configuration fits. */
export interface HttpOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** TCP port; 0 lets the system pick one. Default 8080. */
  readonly port?: number | undefined;
  /** Name of the pool on pages. Default `Headframe`. */
  readonly name?: string | undefined;
  /** Host name that miners are told. Default: the one the page was opened with. */
  readonly publicHost?: string | undefined;
  /** Bearer token of `/api/v1/admin`, which does not exist without one. */
  readonly adminToken?: string | undefined;
  /** File with the admin token; whitespace around it is ignored. */
  readonly adminTokenFile?: string | undefined;
  /** Origins of other pages that may read the public routes; `*` for any. Default none. */
  readonly cors?: readonly string[] | undefined;
  /** Requests per minute and address (IPv6: /64). Default 300. */
  readonly rateLimit?: number | undefined;
  /** CIDRs of reverse proxies whose `X-Forwarded-For` counts. Default none. */
  readonly trustedProxies?: readonly string[] | undefined;
  readonly explorer?: ExplorerLinks | undefined;
  /** Serve the dashboard at `/`. Default true where `dashboardFolder` is given. */
  readonly dashboard?: boolean | undefined;
  /** Folder of the built dashboard: `index.html`, and files with a hash in their name under `assets/`. */
  readonly dashboardFolder?: string | undefined;
  /** Who may read `/metrics`: everybody, holders of the admin token, nobody. Default `open`. */
  readonly metrics?: 'open' | 'admin' | 'off' | undefined;
  /** Reads the configuration again (admin). Without it the route answers that it cannot. */
  readonly reload?: (() => MaybePromise<ReloadResult>) | undefined;
  /** Overrides of {@link HTTP_LIMITS}. */
  readonly limits?: Partial<HttpLimits> | undefined;
}

/** Parts that can be put in the place of the built-in ones. */
export interface HttpModules {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Makes what `/metrics` shows. Without it there is no such page. */
  readonly createMetrics?: MetricsFactory;
}
