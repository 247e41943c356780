import { PoolError } from '@headframe/primitives';

/** The first byte of every extranonce prefix says which edge gave it out. */
const INSTANCES = 256;

/**
 * Gives each edge its own instance byte, and the same one again when it comes back by the same name.
 * For edges that live as long as the core; those of a cluster hold leases instead.
 */
export function createInstanceAllocator(): (edge: string) => number {
  const known = new Map<string, number>();
  return (edge) => {
    const instance = known.get(edge) ?? known.size;
    if (instance >= INSTANCES) throw new PoolError('queue_full', `all ${INSTANCES} instance bytes are taken`);
    known.set(edge, instance);
    return instance;
  };
}
