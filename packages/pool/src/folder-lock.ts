import { claimFolder, type FolderClaim } from '@headframe/daemon';

/** Held while a pool uses its data folder. */
export type FolderLock = FolderClaim;

/**
 * Claims a data folder for this process: two pools on one folder would write over each other. The claim ends with the
 * process, however that ends.
 *
 * @throws PoolError `storage_failed` when another process holds the folder, or it cannot be made
 */
export function lockFolder(folder: string): Promise<FolderLock> {
  return claimFolder(folder, { file: 'lock', holder: 'another pool', heldCode: 'storage_failed' });
}
