import { createContext } from 'preact';
import { useContext, useEffect, useReducer } from 'preact/hooks';
import type { ApiError } from './api/client.js';
import type { Endpoint } from './api/endpoints.js';
import type { Store } from './api/store.js';
import type { Clock } from './state/clock.js';
import type { TextStorage } from './state/recent.js';

/** What every part of the page may use. */
export interface Services {
  readonly store: Store;
  readonly storage: TextStorage;
  readonly clock: Clock;
  /** Says something to screen readers, politely. */
  readonly announce: (text: string) => void;
  /** Hashes of blocks that were found while the page was open, for a while. */
  readonly newBlocks: ReadonlySet<string>;
}

export const ServicesContext = createContext<Services | undefined>(undefined);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error('no services around this part');
  return services;
}

/** An answer as far as it is known. */
export interface Answer<Data> {
  readonly data: Data | undefined;
  readonly error: ApiError | undefined;
  readonly updatedMs: number;
  readonly retry: () => void;
}

/** Asks the API and keeps the answer up to date while the part is shown. */
export function useApi<Data>({ path, topics }: Endpoint<Data>): Answer<Data> {
  const { store } = useServices();
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.watch(path, topics, () => render(undefined)), [store, path]);
  const { data, error, updatedMs } = store.read(path);
  // The one place where an answer gets its type; the schemas of the API are the server's to keep.
  return { data: data as Data | undefined, error, updatedMs, retry: () => store.refresh(path) };
}

/** The time, renewed every few seconds, for `3 min ago`. */
export function useNow(): number {
  const { clock } = useServices();
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => clock.onTick(() => render(undefined)), [clock]);
  return clock.now();
}
