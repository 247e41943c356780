import { parentPort } from 'node:worker_threads';
import { type SearchRequest, searchNonce } from './search.js';

// Entry of the threads of ThreadSearcher: one answer per request, in order.
parentPort?.on('message', (request: SearchRequest) => {
  parentPort?.postMessage(searchNonce(request));
});
