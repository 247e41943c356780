/**
 * What an agent and a pool may both know. `verrol`: submit frames with rolled version bits. `subres`: a response frame
 * for each share.
 */
export type AgentCapability = 'verrol' | 'subres';

const KNOWN: readonly AgentCapability[] = ['verrol', 'subres'];

/** Entries of a list that are looked at; two are known. */
const MAX_LISTED = 32;

/** The known ones in `[[capability, ...]]`, the params of `agent.get_capabilities`. Lenient: never throws. */
export function parseCapabilities(params: unknown): readonly AgentCapability[] {
  const [list]: readonly unknown[] = Array.isArray(params) ? params : [];
  if (!Array.isArray(list)) return [];
  const seen: readonly unknown[] = list.slice(0, MAX_LISTED);
  return KNOWN.filter((capability) => seen.includes(capability));
}
