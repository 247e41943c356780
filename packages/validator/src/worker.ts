import { parentPort, threadId, workerData } from 'node:worker_threads';
import type { HashBackend } from '@headframe/hashing';
import { type BatchReply, type BatchRequest, batchViews, type WorkerMessage } from './batch.js';
import { BatchJudge, type JudgedJob } from './judge.js';

/** What the main thread starts a worker thread with. */
export interface WorkerStart {
  readonly backend: 'auto' | HashBackend;
}

/**
 * The thread that judges batches. It knows jobs by slot: the main thread sends each job once and says into which slot
 * it goes; what was there before is forgotten.
 */
function serve(port: NonNullable<typeof parentPort>, { backend }: WorkerStart): void {
  const judge = new BatchJudge(backend);
  const table = new Map<number, JudgedJob>();
  const jobs: JudgedJob[] = [];
  port.on('message', ({ id, count, buffer, jobs: sent }: BatchRequest) => {
    for (const { slot, job } of sent) table.set(slot, job);
    const { records, results, pow, slots } = batchViews(buffer);
    jobs.length = 0;
    for (let i = 0; i < count; i++) {
      const job = table.get(slots[i] ?? 0);
      // The main thread never refers to a slot it has not filled. If it did, dying is right: the batch is retried.
      if (job === undefined) throw new Error(`no job in slot ${slots[i]}`);
      jobs.push(job);
    }
    const failures = judge.judge(jobs, records, count, results, pow);
    const reply: BatchReply = { kind: 'judged', id, buffer, thread: threadId, failures };
    port.postMessage(reply, [buffer]);
  });
  const ready: WorkerMessage = { kind: 'ready' };
  port.postMessage(ready);
}

if (parentPort !== null) serve(parentPort, workerData as WorkerStart);
