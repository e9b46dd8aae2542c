import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/parse-settings.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { Env } from '../../../src/env/ports.ts';
import { kafkaSettings } from '../../../src/kafka/kafka-config.ts';
import { KafkaDoors } from '../../../src/server/kafka-doors.ts';
import type { KafkaListenerPlan } from '../../../src/server/kafka-listeners.ts';
import { HeldTimers } from '../../support/held-timers.ts';
import { answerOf, apiNamed, requestFrame } from '../../support/kafka-requests.ts';
import { RawKafkaClient } from '../../support/raw-kafka.ts';
import { BrokerWorld } from '../broker/broker-world.ts';

const pem = (name: string): Uint8Array =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const tls = { cert: pem('server.crt'), key: pem('server.key') };

const planOf = (name: string, more: Partial<KafkaListenerPlan> = {}): KafkaListenerPlan => ({
  name,
  address: '127.0.0.1:0',
  advertised: null,
  isTls: false,
  ...more,
});

async function open(
  plans: readonly KafkaListenerPlan[],
  env: Partial<Env> = {},
  world: BrokerWorld = new BrokerWorld(),
): Promise<KafkaDoors> {
  await world.load();
  const config = parseSettings(kafkaSettings, world.settings);
  const parts = { env: { ...memoryEnv(), ...env }, broker: world.broker, config };
  const doors = await KafkaDoors.open(plans, tls, { ...parts, onRefused: () => {} });
  await world.run(world.register('only', { listeners: doors.advertised, rack: 'r1' }));
  doors.begin();
  return doors;
}

const portOf = (address: string): number => Number(address.split(':')[1]);

const question = requestFrame(apiNamed('Metadata'), 1, 3, {
  topics: null,
  allowAutoTopicCreation: false,
});

async function brokersSeenBy(client: RawKafkaClient): Promise<unknown> {
  const frame = await client.ask(question);
  client.socket.destroy();
  return answerOf(apiNamed('Metadata'), 1, frame!)['brokers'];
}

test('clients of each listener are told the address of that listener', async () => {
  const advertised = { host: 'broker.example', port: 29_092 };
  const doors = await open([
    planOf('A'),
    planOf('B', { advertised }),
    planOf('C', { isTls: true }),
  ]);
  const [a, b, c] = doors.addresses.map(portOf) as [number, number, number];
  const node = { nodeId: 1, rack: 'r1' };
  expect(await brokersSeenBy(new RawKafkaClient(connect(a, '127.0.0.1')))).toEqual([
    { ...node, host: '127.0.0.1', port: a },
  ]);
  expect(await brokersSeenBy(new RawKafkaClient(connect(b, '127.0.0.1')))).toEqual([
    { ...node, ...advertised },
  ]);
  const secure = connectTls({ host: 'localhost', port: c, ca: Buffer.from(pem('ca.crt')) });
  expect(await brokersSeenBy(new RawKafkaClient(secure))).toMatchObject([{ port: c }]);
  await doors.close(1000);
});

test('one listener that cannot be opened leaves none open', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: taken } = server.address() as { port: number };
  const free = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => free.once('listening', resolve));
  const { port } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  const plans = [port, taken].map((each) => planOf(`P${each}`, { address: `127.0.0.1:${each}` }));
  await expect(open(plans)).rejects.toThrow('EADDRINUSE');
  const client = new RawKafkaClient(connect(port, '127.0.0.1'));
  expect(await client.ask(question)).toBeNull();
  server.close();
});

test('closing ends what does nothing at once, and cuts what takes too long', async () => {
  const world = new BrokerWorld();
  const timers = new HeldTimers(300);
  const doors = await open([planOf('A')], { timers }, world);
  const port = portOf(doors.addresses[0]!);
  const idle = new RawKafkaClient(connect(port, '127.0.0.1'));
  expect(await idle.ask(question)).not.toBeNull();
  const { memory } = world.broker;
  expect(memory.usedBytes).toBe(0);
  const waiting = new RawKafkaClient(connect(port, '127.0.0.1'));
  // On the time of the broker, which stands still, this is never answered.
  const unanswered = requestFrame(apiNamed('InitProducerId'), 0, 5, {
    transactionalId: null,
    transactionTimeoutMs: 0,
  });
  waiting.socket.write(unanswered);
  await expect.poll(() => memory.usedBytes).toBeGreaterThan(0);
  const closed = doors.close(300);
  await idle.closed();
  expect(waiting.isClosed).toBe(false);
  timers.fire();
  await closed;
  await waiting.closed();
});

test('who connects before the broker is in service waits, and is told of it then', async () => {
  const world = new BrokerWorld();
  await world.load();
  const config = parseSettings(kafkaSettings, world.settings);
  const parts = { env: memoryEnv(), broker: world.broker, config, onRefused: () => {} };
  const doors = await KafkaDoors.open([planOf('A')], undefined, parts);
  const port = portOf(doors.addresses[0]!);
  expect(doors.advertised).toEqual([
    { name: 'A', host: '127.0.0.1', port, securityProtocol: 'PLAINTEXT' },
  ]);
  const early = new RawKafkaClient(connect(port, '127.0.0.1'));
  const told = brokersSeenBy(early);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await world.run(world.register('only', { listeners: doors.advertised }));
  doors.begin();
  expect(await told).toMatchObject([{ nodeId: 1, port }]);
  await doors.close(0);
});
