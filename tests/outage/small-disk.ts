import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const CHUNK = Buffer.alloc(64 * 1024);

/** A disk of its own, in memory, that can be filled to the last byte. */
export interface SmallDisk {
  readonly path: string;
  fill(): void;
  /** Gives back what {@link fill} took. */
  free(): void;
  remove(): void;
}

/** True where disks may be mounted. */
export function canMount(): boolean {
  if (userInfo().uid !== 0) {
    console.log('left out: a full disk, which needs root to mount one');
    return false;
  }
  const disk = mountDisk(1);
  disk?.remove();
  if (disk === undefined) console.log('left out: a full disk, which needs the right to mount one');
  return disk !== undefined;
}

/** Mounts a disk of so many megabytes; undefined where that is not allowed. */
export function mountDisk(megabytes: number): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'headframe-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
  if (status !== 0) {
    rmSync(path, { recursive: true });
    return undefined;
  }
  const ballast = join(path, 'ballast');
  const free = (): void => rmSync(ballast, { force: true });
  return {
    path,
    fill: () => {
      const file = openSync(ballast, 'w');
      try {
        for (let size = CHUNK.length; size >= 1; ) {
          try {
            writeSync(file, CHUNK, 0, size);
          } catch {
            size = Math.floor(size / 2); // no room for so much: less, down to a byte
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free,
    remove: () => {
      spawnSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
