import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { parseSettings } from '../../../src/config/parse-settings.ts';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import { kafkaSettings } from '../../../src/kafka/kafka-config.ts';
import { KafkaDoor } from '../../../src/kafka/kafka-door.ts';
import { KafkaListener, type ListenerTls } from '../../../src/kafka/kafka-listener.ts';
import { answerOf, apiNamed, requestFrame } from '../../support/kafka-requests.ts';
import { RawKafkaClient } from '../../support/raw-kafka.ts';
import { BrokerWorld } from '../broker/broker-world.ts';

const pem = (name: string): Uint8Array =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const serverTls = { cert: pem('server.crt'), key: pem('server.key') };
const ca = pem('ca.crt');

const opened: Opened[] = [];
afterEach(async () => {
  for (const { listener, clients } of opened.splice(0)) {
    for (const { socket } of clients) socket.destroy();
    listener.cut();
    await listener.close();
  }
});

class Opened {
  readonly world: BrokerWorld;
  readonly door: KafkaDoor;
  listener!: KafkaListener;
  readonly refused: string[] = [];
  readonly clients: RawKafkaClient[] = [];

  constructor(world: BrokerWorld) {
    this.world = world;
    const onRefused = (reason: string) => this.refused.push(reason);
    this.door = new KafkaDoor({ ...memoryEnv(), onRefused });
  }

  async listen(tls?: ListenerTls, address = '127.0.0.1:0'): Promise<void> {
    const { world, door, refused } = this;
    const endpoints = () => [{ nodeId: 1, ...this.listener.address, rack: '' }];
    const config = parseSettings(kafkaSettings, world.settings);
    this.listener = await KafkaListener.listen(
      address,
      door,
      { broker: world.broker, config, endpoints },
      {
        ...(tls === undefined ? {} : { tls }),
        onRefused: (reason, peer, detail) =>
          refused.push([`${reason} of ${peer}`, detail ?? []].flat().join(': ')),
      },
    );
    opened.push(this);
  }

  plain(): RawKafkaClient {
    return this.#client(connect(this.listener.address.port, '127.0.0.1'));
  }

  secure(name?: string): RawKafkaClient {
    const identity =
      name === undefined ? {} : { cert: pem(`${name}.crt`), key: pem(`${name}.key`) };
    const { port } = this.listener.address;
    return this.#client(
      connectTls({ host: '127.0.0.1', servername: 'localhost', port, ca, ...identity } as never),
    );
  }

  #client(socket: ReturnType<typeof connect>): RawKafkaClient {
    const client = new RawKafkaClient(socket);
    this.clients.push(client);
    return client;
  }
}

async function open(settings: { [key: string]: string } = {}, tls?: ListenerTls): Promise<Opened> {
  const one = new Opened(await BrokerWorld.open(settings));
  await one.listen(tls);
  return one;
}

const question = requestFrame(apiNamed('Metadata'), 1, 3, {
  topics: null,
  allowAutoTopicCreation: false,
});

const isServed = async (client: RawKafkaClient, port: number): Promise<void> =>
  isAnswer(await client.ask(question), port);

function isAnswer(frame: Buffer | null, port: number): void {
  expect(answerOf(apiNamed('Metadata'), 1, frame!)).toMatchObject({
    brokers: [{ host: '127.0.0.1', port }],
  });
}

test('clients are answered in frames of their own, however they cut theirs', async () => {
  const self = await open();
  const { listener } = self;
  const client = self.plain();
  await isServed(client, listener.address.port);
  for (const byte of question) client.socket.write(Buffer.of(byte));
  expect(await client.next()).not.toBeNull();
  client.socket.write(Buffer.concat([question, question, question]));
  for (let at = 0; at < 3; at++) expect((await client.next())?.readInt32BE(4)).toBe(3);
  expect(listener.text).toBe(`127.0.0.1:${listener.address.port}`);
});

test('a client that has gone is forgotten, and gives its memory back', async () => {
  const self = await open();
  const { door } = self;
  const client = self.plain();
  await isServed(client, self.listener.address.port);
  client.socket.write(question.subarray(0, 10));
  expect(door.size).toBe(1);
  client.socket.resetAndDestroy();
  await expect.poll(() => door.size).toBe(0);
  expect(self.world.broker.memory.usedBytes).toBe(0);
});

test('connections that are too many are closed as they come, and others may follow', async () => {
  for (const [key, limit] of [
    ['kafka.max.connections', 'kafka.max.connections'],
    ['kafka.max.connections.per.ip', 'kafka.max.connections.per.ip'],
  ] as const) {
    const self = await open({ [key]: '2' });
    const { refused } = self;
    const { port } = self.listener.address;
    const clients = [self.plain(), self.plain()];
    for (const client of clients) await isServed(client, port);
    await self.plain().closed();
    expect(refused).toEqual([`${limit} of 127.0.0.1`]);
    clients[0]!.socket.destroy();
    await expect.poll(() => self.door.size).toBe(1);
    await isServed(self.plain(), port);
  }
});

test('what a connection is ended for is told to its door', async () => {
  const self = await open();
  const { refused } = self;
  expect(await self.plain().ask(Buffer.alloc(4, 0xff))).toBeNull();
  expect(refused).toEqual(['malformed request']);
});

test('with a certificate it speaks TLS, and nothing else', async () => {
  const self = await open({}, serverTls);
  await isServed(self.secure(), self.listener.address.port);
  const plain = self.plain();
  expect((await plain.ask(question)) ?? Buffer.alloc(0)).not.toContain('127.0.0.1');
  await plain.closed();
  await isServed(self.secure(), self.listener.address.port);
});

test('with an authority every client shows a certificate of it', async () => {
  const self = await open({}, { ...serverTls, ca });
  const { port } = self.listener.address;
  await isServed(self.secure('client'), port);
  expect(await self.secure().ask(question)).toBeNull();
  expect(await self.secure('stranger').ask(question)).toBeNull();
  expect(self.door.size).toBe(1);
  // An operator is told why they could not come in.
  await expect
    .poll(() => self.refused)
    .toEqual([
      'TLS handshake of 127.0.0.1: peer did not return a certificate',
      'TLS handshake of unknown: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ]);
});

test('connections are limited also while they shake hands', async () => {
  const self = await open({ 'kafka.max.connections': '1' }, serverTls);
  const { refused } = self;
  const silent = self.plain();
  await new Promise((resolve) => silent.socket.once('connect', resolve));
  await self.secure().closed();
  expect(refused).toHaveLength(1);
  silent.socket.destroy();
  await expect
    .poll(async () => (await self.secure().ask(question)) !== null, { timeout: 10_000 })
    .toBe(true);
});

test('an address that is taken is refused', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const one = new Opened(await BrokerWorld.open());
  await expect(one.listen(undefined, `127.0.0.1:${port}`)).rejects.toThrow('EADDRINUSE');
  server.close();
});

test('closing lets no one in, and lets those that are there finish', async () => {
  const self = await open();
  const { listener, door } = self;
  await self.world.createTopic('t');
  const { port } = listener.address;
  const client = self.plain();
  await isServed(client, port);
  const fetch = requestFrame(apiNamed('Fetch'), 4, 8, {
    ...{ replicaId: -1, maxWaitMs: 1000, minBytes: 1, maxBytes: 100, isolationLevel: 0 },
    topics: [
      {
        topic: 't',
        partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }],
      },
    ],
  });
  client.socket.write(Buffer.concat([fetch, question]));
  // It has begun: what comes behind it waits.
  await expect.poll(() => self.world.broker.memory.usedBytes).toBeGreaterThan(0);
  door.stop();
  const closing = listener.close();
  expect(await self.plain().ask(question)).toBeNull();
  await self.world.pass(2000);
  expect((await client.next())?.readInt32BE(4)).toBe(8);
  // Behind it, brokers are still told where they listen.
  isAnswer(await client.next(), port);
  await closing;
  expect([client.isClosed || (await client.next()) === null, door.size]).toEqual([true, 0]);
});
