import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { ADMIN, LOG, nextMessage, produce, Stranger } from '../integration/stranger.ts';

/** The topic that mutated traffic is for. */
export const FUZZED_TOPIC = 'fuzzed';

/** The frames that an honest client sends in a session of administration, producing and fetching. */
export async function recordSession(address: string): Promise<Buffer[]> {
  const [host, port] = address.split(':') as [string, string];
  const sent: Buffer[] = [];
  const proxy = createServer((client) => {
    const broker = connect(Number(port), host);
    client.on('data', (data) => sent.push(data)).pipe(broker);
    broker.pipe(client);
    client.on('error', () => broker.destroy());
    broker.on('error', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port: proxyPort } = proxy.address() as AddressInfo;
  {
    using stranger = new Stranger(`127.0.0.1:${proxyPort}`);
    await session(stranger);
  }
  proxy.close();
  await once(proxy, 'close');
  return framesOf(Buffer.concat(sent));
}

async function session(stranger: Stranger): Promise<void> {
  const partitions = [{ topic: FUZZED_TOPIC, partition: 0 }];
  await stranger.unary(`${ADMIN}/CreateTopics`, {
    topics: [{ name: FUZZED_TOPIC, partition_count: 2 }],
  });
  await stranger.unary(`${ADMIN}/DescribeTopics`, { names: [FUZZED_TOPIC] });
  const plain_records = [
    { key: Buffer.from('k'), value: Buffer.from('v'), headers: [{ key: 'h' }] },
  ];
  await produce(stranger, [{ partitions: [{ topic: FUZZED_TOPIC, plain_records }] }]);
  const fetch = stranger.stream(`${LOG}/Fetch`);
  fetch.write({ correlation_id: 1, credit_bytes: 1000, positions: partitions });
  const { partitions: fetched } = await nextMessage(fetch);
  fetch.on('error', () => {});
  fetch.cancel();
  // As it was stored: a batch of records.
  await produce(stranger, [{ partitions: [{ ...partitions[0], records: fetched[0].records }] }]);
  await stranger.unary(`${ADMIN}/ListOffsets`, {
    partitions: [{ ...partitions[0], earliest: true }],
  });
  await stranger.unary(`${ADMIN}/DescribeConfigs`, { topics: [FUZZED_TOPIC] });
}

/** The preface, and then frame by frame. */
function framesOf(bytes: Buffer): Buffer[] {
  const PREFACE_BYTES = 24;
  const frames = [bytes.subarray(0, PREFACE_BYTES)];
  for (let at = PREFACE_BYTES; at + 9 <= bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}
