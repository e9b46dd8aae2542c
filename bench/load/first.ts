import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { connect } from '../../src/client/main.ts';
import { emit } from '../run/worker.ts';
import { sleep } from './clock.ts';
import type { LoadJob } from './job.ts';
import { ensureTopic, TOPIC } from './topic.ts';

/** Waits for a server that is about to start and sends one record to it. */
export async function first(job: LoadJob): Promise<object> {
  const { server, recordBytes } = job;
  // Fails; the next attempt finds all code of the client loaded.
  await connect({ brokers: [server], requestTimeoutMs: 1 }).catch(() => {});
  emit({ event: 'waiting' });
  while (!(await isListening(server))) await sleep(1);
  await using client = await connect({ brokers: [server] });
  await ensureTopic(client, job);
  const producer = client.producer({ lingerMs: 0 });
  await producer.send({ topic: TOPIC, value: new Uint8Array(recordBytes) });
  return {};
}

async function isListening(server: string): Promise<boolean> {
  const [host, port] = server.split(':');
  const socket = connectSocket(Number(port), host!);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
