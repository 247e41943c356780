import { parentPort, workerData } from 'node:worker_threads';
import type { IndexThreadStart } from './chain/messages.js';
import { serveIndex } from './chain/serve.js';

if (parentPort !== null) await serveIndex(parentPort, workerData as IndexThreadStart);
