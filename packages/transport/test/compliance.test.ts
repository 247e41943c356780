import { describeTransport } from '@headframe/transport/compliance';
import { createMemoryPair } from '@headframe/transport/testing';
import { tcpPair } from './pairs.js';

describeTransport('tcp', (clock) => tcpPair(clock));
describeTransport('tls', (clock) => tcpPair(clock, { tls: true }));
describeTransport('memory', async (clock) => ({ ...createMemoryPair({ clock }), close: async () => {} }));
describeTransport('memory, 7 bytes at a time', async (clock) => ({
  ...createMemoryPair({ clock, chunkBytes: 7 }),
  close: async () => {},
}));
