// The asking side: what the clients of node-stratum and stratum-php show in their examples. Connects to POOL_URL, asks for
// work, logs in, prints what the pool says until there is a job, and leaves.
import { connectStratum } from '@headframe/client';
import { isStratumError } from '@headframe/stratum-v1';

const { POOL_URL: url = 'stratum+tcp://127.0.0.1:3333', POOL_USER: user = 'me.rig1' } = process.env;

const client = await connectStratum({ url, agent: 'example/1.0' }); // rejects when nobody listens
client.on('message', ({ method }) => console.log('says', method)); // everything, known or not
client.on('mining.set_difficulty', ({ difficulty }) => console.log('difficulty', difficulty)); // typed, by name
client.on('closed', ({ error }) => console.log('closed', error?.message ?? 'in order'));
const job = new Promise<string>((resolve) => client.on('mining.notify', ({ jobId }) => resolve(jobId)));

const answer = await client.request('mining.subscribe', [client.agent]);
console.log('subscribed', JSON.stringify(answer));
console.log('authorized', await client.request('mining.authorize', [user, 'x']));
const jobId = await job;

try {
  await client.request('mining.submit', [user, jobId, '0000000000000000', '504e86ed', '00000001']);
} catch (error) {
  // A refusal has the number and text of the pool; anything else is no answer at all.
  if (!isStratumError(error)) throw error;
  console.log('refused', error.stratumCode, error.reason);
}
client.sendRaw('{"id":null,"method":"mining.hello","params":[]}\n'); // whatever you like
await client.close();
