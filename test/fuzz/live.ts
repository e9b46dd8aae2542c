import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN, Stranger } from '../integration/stranger.ts';
import { SimulatedRandom } from '../simulation/env/simulated-random.ts';
import { Bystander } from '../support/bystander.ts';
import { BrokerProcess, metric, TemporaryFolder } from '../support/processes.ts';
import {
  END_STREAM,
  Frame,
  frame,
  grpcMessage,
  openCall,
  RawConnection,
} from '../support/raw-http2.ts';
import { messageTargets } from './message-targets.ts';
import { mutate } from './mutate.ts';
import { FUZZED_TOPIC, recordSession } from './recording.ts';
import type { FuzzPlan } from './run-targets.ts';

const MIB = 1024 * 1024;
/** Streams of one connection, which is fewer than a connection may have. */
const STREAMS = 50;
/** How long answers are waited for before the next connection is made; no answer is no violation. */
const PATIENCE_MS = 30;
/** Of the inputs so many are whole sessions with damaged frames; they cost a connection each. */
const SESSIONS = 0.05;
const MAX_GROWTH_BYTES = 192 * MIB;

export interface LiveTotals {
  readonly inputs: number;
  readonly seconds: number;
  /** Records that somebody else produced and read back meanwhile. */
  readonly bystanderRecords: number;
  readonly grownBytes: number;
  /** Records of mutated requests that the broker has taken: some get through, or nothing was tried. */
  readonly appended: number;
  readonly violations: readonly string[];
}

/** Sends mutated traffic to a broker in a process of its own, over sockets. */
export async function fuzzLive({ seed, inputs }: FuzzPlan): Promise<LiveTotals> {
  const folder = new TemporaryFolder();
  const settings = ['max.partitions.per.topic=4', 'log.tail.cache.bytes=1MiB'];
  const broker = new BrokerProcess(
    `${folder.path}/data`,
    ...settings.flatMap((setting) => ['--set', setting]),
  );
  try {
    await broker.start();
    return await besideBystander(broker, { seed, inputs });
  } finally {
    await broker.kill();
    folder[Symbol.dispose]();
  }
}

async function besideBystander(broker: BrokerProcess, plan: FuzzPlan): Promise<LiveTotals> {
  const frames = await recordSession(broker.address);
  const bystander = await Bystander.start(broker.address, 'bystander');
  const random = new SimulatedRandom(plan.seed).fork('live');
  const attack = new LiveAttack(broker.address, frames, random);
  const startedMs = performance.now();
  const residentBytes = (): Promise<number> => metric(broker, 'process_resident_memory_bytes');
  await attack.run(Math.min(plan.inputs, 500));
  await bystander.progress();
  const before = await residentBytes();
  await attack.run(plan.inputs);
  await bystander.progress();
  const grownBytes = (await residentBytes()) - before;
  const violations = await bystander.stop();
  if (broker.log.includes('unexpected error')) {
    const line = broker.log.split('\n').find((each) => each.includes('unexpected error'));
    violations.push(`the broker met something unexpected: ${line}`);
  }
  if (grownBytes > MAX_GROWTH_BYTES) violations.push(`memory grew by ${grownBytes} bytes`);
  const appended = await endOffset(broker.address);
  if (appended < 10) violations.push(`void: only ${appended} mutated records were appended`);
  return {
    appended,
    inputs: plan.inputs,
    seconds: (performance.now() - startedMs) / 1000,
    bystanderRecords: bystander.consumed,
    grownBytes,
    violations,
  };
}

async function endOffset(address: string): Promise<number> {
  using stranger = new Stranger(address);
  const partitions = [{ topic: FUZZED_TOPIC, partition: 0, latest: true }];
  const answer = await stranger.unary(`${ADMIN}/ListOffsets`, { partitions });
  return answer.partitions[0].offset;
}

/** Calls by the name of the fuzzed message that they take. */
const paths: ReadonlyMap<string, string> = new Map([
  ['ProduceRequest', '/varve.v1.LogService/Produce'],
  ['FetchRequest', '/varve.v1.LogService/Fetch'],
  ...['CreateTopics', 'DeleteTopics', 'CreatePartitions', 'DescribeTopics', 'DescribeConfigs']
    .concat(['AlterConfigs', 'ListOffsets', 'DeleteRecords'])
    .map((name) => [name, `/varve.v1.AdminService/${name}`] as const),
]);

class LiveAttack {
  readonly #address: string;
  readonly #frames: readonly Buffer[];
  readonly #random: SimulatedRandom;

  constructor(address: string, frames: readonly Buffer[], random: SimulatedRandom) {
    this.#address = address;
    this.#frames = frames;
    this.#random = random;
  }

  async run(inputs: number): Promise<void> {
    for (let left = inputs; left > 0; ) {
      if (this.#random.chance(SESSIONS / (SESSIONS + 1 / STREAMS))) {
        await this.#damagedSession();
        left--;
      } else {
        await this.#mutatedCalls(Math.min(left, STREAMS));
        left -= STREAMS;
      }
    }
  }

  /** Sound HTTP/2 that carries mutated messages: it gets to the decoders and beyond. */
  async #mutatedCalls(count: number): Promise<void> {
    using raw = await RawConnection.open(this.#address);
    for (let call = 0; call < count; call++) {
      const stream = 1 + 2 * call;
      const { path, corpus } = this.#method();
      await raw.send(openCall(stream, path));
      const messages = Array.from({ length: 1 + this.#random.below(3) }, () =>
        grpcMessage(mutate(this.#random, corpus)),
      );
      const body = Buffer.concat(messages);
      for (let at = 0; at < body.length; at += 16_384) {
        await raw.send(frame(Frame.data, 0, stream, body.subarray(at, at + 16_384)));
      }
      if (this.#random.chance(0.8)) await raw.send(frame(Frame.data, END_STREAM, stream));
    }
    await sleep(PATIENCE_MS);
  }

  #method(): { path: string; corpus: readonly Uint8Array[] } {
    const [name, path] = this.#random.pick([...paths]);
    const { corpus } = messageTargets.find((target) => target.name === name)!;
    return { path, corpus: corpus.map(forFuzzedTopic) };
  }

  /** A session of an honest client whose frames are damaged, left out, doubled or in another order. */
  async #damagedSession(): Promise<void> {
    const random = this.#random;
    const frames = [...this.#frames];
    for (let left = 1 + random.below(6); left > 0; left--) {
      const at = random.below(frames.length);
      const change = random.below(5);
      if (change === 0) frames.splice(at, 1);
      else if (change === 1) frames.splice(at, 0, random.pick(frames));
      else if (change === 2) frames.push(...frames.splice(at, 1));
      else frames[at] = Buffer.from(damaged(random, frames[at]!, change === 3));
      if (frames.length === 0) break;
    }
    using raw = await RawConnection.openSilent(this.#address);
    for (const each of frames) await raw.send(each);
    await sleep(1);
  }
}

/** Mutates a frame, or only what it carries: then its length stays right. */
function damaged(random: SimulatedRandom, whole: Buffer, contentOnly: boolean): Uint8Array {
  if (!contentOnly || whole.length < 9) return mutate(random, [whole]);
  const content = mutate(random, [whole.subarray(9)]).subarray(0, 16_384);
  return frame(whole[3]!, whole[4]!, whole.readUInt32BE(5), content);
}

/** The corpus names topics that are not there; half of them are made to name one that is. */
function forFuzzedTopic(message: Uint8Array, at: number): Uint8Array {
  if (at % 2 === 1) return message;
  const text = Buffer.from(message).toString('latin1');
  // Both are six letters long, so no length changes.
  return Buffer.from(text.replaceAll('orders', FUZZED_TOPIC), 'latin1');
}
