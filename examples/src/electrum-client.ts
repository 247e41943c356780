// Asks an Electrum server: what the example of stratum-php does, and what changed since. ELECTRUM_SERVER is tcp://host:port or
// ssl://host:port; WATCH a script hash.
import { ElectrumClient, historyStatus, isElectrumError } from '@headframe/electrum';

const { ELECTRUM_SERVER: server = 'tcp://127.0.0.1:50001', WATCH: watch = '0'.repeat(64) } = process.env;

const client = new ElectrumClient({
  server,
  clientName: 'example/1.0',
  protocol: { min: '1.0', max: '1.6' }, // also servers that know addresses only
  reconnect: false,
});
client.on('headers', ({ height }) => console.log('block', height));
client.on('scripthash', ({ status }) => console.log('changed', status));
await client.connect();
console.log('server', client.software, client.version);

const { height, timestamp } = await client.subscribeHeaders();
console.log('tip', height, timestamp);
const status = await client.subscribeScripthash(watch);
const history = await client.getHistory(watch);
console.log('history', history.length, status === historyStatus(history) ? 'as announced' : 'differs');
console.log('balance', (await client.getBalance(watch)).confirmed);

try {
  await client.broadcast('01'.repeat(60));
} catch (error) {
  if (!isElectrumError(error)) throw error;
  console.log('refused', error.message);
}
await client.close();
