import { expect, test } from 'vitest';
import { leaderEpoch, nodeId } from '../../src/model/ids.ts';
import { introduceMethod } from '../../src/quorum/introduce-codec.ts';
import {
  exchangeMethod,
  PEER_MESSAGE_BYTES_MAX,
  type PeerFrame,
  PROTOCOL_VERSION,
} from '../../src/quorum/peer-frames.ts';
import type { Channel, MessageStream, StreamEvents } from '../../src/rpc/transport.ts';
import { SimulatedMachine } from '../simulation/env/simulated-env.ts';
import { NodeWorld } from '../simulation/quorum/node-world.ts';
import { firstSeed } from '../support/property-seed.ts';

const SEEDS = 6;
const STREAMS = 60;

const quiet: StreamEvents = { onMessage() {}, onDrain() {}, onEnd() {}, onClose() {} };

/** Sends what no node sends to the nodes of a cluster. */
class Stranger {
  readonly #world: NodeWorld;
  readonly #connect: (address: string) => Channel;

  constructor(world: NodeWorld) {
    this.#world = world;
    const { scheduler } = world;
    const machine = new SimulatedMachine({ seed: 1, name: 'stranger', scheduler });
    const { wires } = world;
    const end = wires.endOf('stranger:1', machine.incarnation, machine.env.timers);
    const options = { maxMessageBytes: 2 * PEER_MESSAGE_BYTES_MAX };
    this.#connect = (address) => end.connect(address, options);
  }

  async attack(): Promise<void> {
    const { random } = this.#world;
    const target = this.#world.node(random.between(1, 3));
    const channel = this.#connect(target.address);
    const stream = channel.stream(exchangeMethod.path, quiet);
    for (let frames = random.between(1, 6); frames > 0; frames--) this.#send(stream);
    const noise = this.#noise(random.between(0, 300));
    channel.unary(introduceMethod.path, noise, { timeoutMs: 100 }).catch(() => {});
    await this.#world.pass(random.between(1, 50));
    await this.#world.scheduler.complete(channel.close());
  }

  #send(stream: MessageStream): void {
    const { random } = this.#world;
    const what = random.below(8);
    const frame = exchangeMethod.request.encode(this.#frame());
    if (what === 0) stream.send(this.#noise(random.between(0, 500)));
    else if (what === 1) stream.send(frame.subarray(0, random.between(0, frame.length - 1)));
    else if (what === 2) stream.send(new Uint8Array(PEER_MESSAGE_BYTES_MAX + 1));
    else if (what === 3) {
      frame[random.below(frame.length)]! ^= random.between(1, 255);
      stream.send(frame);
    } else stream.send(frame);
  }

  /** Frames that say much, and hellos that are not accepted. */
  #frame(): PeerFrame {
    const { random } = this.#world;
    const epoch = leaderEpoch(1_000_000);
    const last = { index: 10 ** 9, epoch: leaderEpoch(999_999) };
    const target = this.#world.node(random.between(1, 3)).member!;
    const from = { id: nodeId(random.between(1, 4)), directoryId: 'mine' };
    switch (random.below(4)) {
      case 0:
        return {
          kind: 'raft',
          message: { kind: 'vote', epoch, isPreVote: false, isTransfer: true, last },
        };
      case 1:
        return {
          kind: 'raft',
          message: { kind: 'append', epoch, prev: last, entries: [], commitIndex: 10 ** 9 },
        };
      case 2:
        return { kind: 'ping' };
      default: {
        const clusterId = random.pick(['', 'another']);
        const protocolVersion = random.pick([0, PROTOCOL_VERSION, 1_000]);
        const address = 'stranger:1';
        return {
          kind: 'hello',
          hello: { protocolVersion, clusterId, from, to: target, address },
        };
      }
    }
  }

  #noise(length: number): Uint8Array {
    const { random } = this.#world;
    return Uint8Array.from({ length }, () => random.below(256));
  }
}

test('what no node sends changes nothing in the quorum, and breaks nothing', async () => {
  for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
    const world = await NodeWorld.ofThree(seed);
    await world.replicated('before', [1, 2, 3]);
    const epochs = (): number[] => [1, 2, 3].map((id) => world.node(id).driver!.status.epoch);
    const before = epochs();
    const leader = world.leader!.id;
    const stranger = new Stranger(world);
    for (let i = 0; i < STREAMS; i++) await stranger.attack();
    expect(epochs(), `seed ${seed}`).toEqual(before);
    expect(world.leader!.id).toBe(leader);
    await world.replicated('after', [1, 2, 3]);
    expect(epochs(), `seed ${seed}`).toEqual(before);
    const refused = [1, 2, 3].flatMap((id) => world.node(id).refused);
    expect(refused.length).toBeGreaterThan(STREAMS / 4);
  }
});
