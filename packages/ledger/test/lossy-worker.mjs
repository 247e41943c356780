// A database thread that dies between the commit and its answer, once per folder that has a file "die".
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { serveLedger } from '../dist/thread/serve.js';

const mark = join(dirname(workerData.database.url.slice('sqlite:'.length)), 'die');
const commits = new Set();
await serveLedger(
  {
    on: (event, listener) =>
      parentPort.on(event, (message) => {
        if (message.name === 'commit') commits.add(message.id);
        listener(message);
      }),
    postMessage: (message) => {
      if (message.kind === 'answer' && commits.has(message.id) && existsSync(mark)) {
        rmSync(mark);
        process.exit(1);
      }
      parentPort.postMessage(message);
    },
    close: () => parentPort.close(),
  },
  workerData,
);
