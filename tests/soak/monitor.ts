import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly residentBytes: number;
  readonly handles: number;
  readonly threads: number;
}

/** What a process of this machine uses now; undefined when it is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    const handles = readdirSync(`/proc/${pid}/fd`).length;
    return { residentBytes: field('VmRSS') * 1024, handles, threads: field('Threads') };
  } catch {
    return undefined;
  }
}

/** Keeps the usage of a process, once a second, with the time since it began. */
export class Monitor {
  readonly samples: (Usage & { readonly seconds: number })[] = [];
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      const usage = usageOf(pid);
      if (usage !== undefined) this.samples.push({ ...usage, seconds: (performance.now() - this.#began) / 1000 });
    }, 1000);
  }
  stop(): void {
    clearInterval(this.#timer);
  }
  most(name: keyof Usage): number {
    return this.samples.reduce((most, sample) => Math.max(most, sample[name]), 0);
  }
  /** Average of the samples from one part of the time to another, parts from 0 to 1. */
  average(name: keyof Usage, from: number, to: number): number {
    const { length } = this.samples;
    const part = this.samples.slice(Math.floor(length * from), Math.max(Math.ceil(length * to), 1));
    return part.reduce((sum, sample) => sum + sample[name], 0) / Math.max(1, part.length);
  }
}
