import type { NodeStatus } from '@headframe/mining';
import type { NodesInfo } from '../schemas/pool.js';

const URL_TEXT = /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi;
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g;
const IPV6 = /\[[0-9a-f:.]+\](?::\d+)?|\b(?:[0-9a-f]{1,4}:){2,}[0-9a-f:.]*|::1\b/gi;
/** System errors name the host that was tried. */
const HOST_AFTER_ERROR = /\b(E[A-Z_]{4,})\s+[\w.-]+\.[\w-]+/g;
const HOST_PORT = /\b[a-z0-9][a-z0-9.-]*:\d{2,5}\b/gi;
/** Absolute paths, of cookie and database files. */
const PATH = /(?<![\w.])(?:\/[\w.@+-]+)+|\b[A-Z]:\\\S+/g;
const MAX_TEXT = 200;

/** A text for everybody: without addresses, URLs and paths, which tell an attacker where to knock. */
export function publicText(text: string): string {
  return text
    .slice(0, 2 * MAX_TEXT)
    .replace(URL_TEXT, '(address)')
    .replace(IPV4, '(address)')
    .replace(IPV6, '(address)')
    .replace(HOST_PORT, '(address)')
    .replace(HOST_AFTER_ERROR, '$1 (address)')
    .replace(PATH, '(path)')
    .slice(0, MAX_TEXT);
}

/** The nodes for everybody: named as configured, else numbered, for the default name is host and port. */
export function publicNodes(status: NodeStatus, daemons: readonly { readonly name?: string | undefined }[]): NodesInfo {
  const nodes = status.nodes.map(({ up, detail }, index) => ({
    name: daemons[index]?.name ?? `node ${index + 1}`,
    up,
    detail: publicText(detail),
  }));
  const reason = status.nodes.length === 0 ? status.reason : undefined;
  const trouble = nodes.filter(({ up }) => !up).map(({ name, detail }) => `${name}: ${detail}`);
  return {
    ready: status.ready,
    reason: status.ready ? null : publicText(reason ?? (trouble.join('; ') || (status.reason ?? 'not ready'))),
    nodes,
  };
}
