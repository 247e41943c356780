import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadStart } from './thread/messages.js';
import { serveLedger } from './thread/serve.js';

if (parentPort !== null) await serveLedger(parentPort, workerData as ThreadStart);
