import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptError } from '../../src/codec/reader.ts';
import { supportedFeatures } from '../../src/metadata/features.ts';
import {
  emptyImage,
  imageRecords,
  type MetadataImage,
  metadataVersion,
  replay,
} from '../../src/metadata/image.ts';
import { changedTopics } from '../../src/metadata/image-delta.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  NewerFormatError,
} from '../../src/metadata/metadata-record-codec.ts';
import type { MetadataRecord, RegisterBrokerRecord } from '../../src/metadata/metadata-records.ts';
import { PersistentMap } from '../../src/metadata/persistent-map.ts';
import {
  brokerEpoch,
  leaderEpoch,
  type NodeId,
  nodeId,
  producerId,
  type TopicId,
  topicId,
} from '../../src/model/ids.ts';
import { plainRegistration } from '../support/broker-registration.ts';

// A few keys collide in all 32 bits of their hash.
const key = fc.oneof(
  fc.integer({ min: 0, max: 200 }).map(String),
  fc
    .array(fc.constantFrom('costarring', 'liquor'), { minLength: 4, maxLength: 4 })
    .map((words) => words.join('')),
);
const mapSteps = fc.array(
  fc.record({ key, value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }) }),
  { maxLength: 400 },
);

function applied<V>(map: PersistentMap<string, V>, steps: { key: string; value: V | null }[]) {
  let next = map;
  for (const step of steps) {
    next = step.value === null ? next.delete(step.key) : next.set(step.key, step.value);
  }
  return next;
}

test('a persistent map is like a Map, and its changes are those between two Maps', () => {
  fc.assert(
    fc.property(mapSteps, mapSteps, (first, second) => {
      const model = new Map<string, number>();
      const apply = (steps: typeof first) => {
        for (const step of steps) {
          if (step.value === null) model.delete(step.key);
          else model.set(step.key, step.value);
        }
      };
      const before = applied(new PersistentMap<string, number>(), first);
      apply(first);
      const modelBefore = new Map(model);
      const after = applied(before, second);
      apply(second);

      expect(new Map(before)).toEqual(modelBefore);
      expect(new Map(after)).toEqual(model);
      expect([before.size, after.size]).toEqual([modelBefore.size, model.size]);
      for (const each of model.keys()) expect(after.get(each)).toBe(model.get(each));

      const told = new Map<string, unknown>();
      after.forEachChange(before, (each, old, current) => {
        expect(told.has(each)).toBe(false);
        told.set(each, [old, current]);
      });
      const expected = new Map<string, unknown>();
      for (const each of new Set([...modelBefore.keys(), ...model.keys()])) {
        const [old, current] = [modelBefore.get(each), model.get(each)];
        if (old !== current) expected.set(each, [old, current]);
      }
      expect(told).toEqual(expected);
    }),
  );
});

const int32 = fc.nat({ max: 2 ** 31 - 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const node = int32.map(nodeId);
const nodes = fc.uniqueArray(node, { maxLength: 5 });
const anyTopicId = fc
  .array(fc.constantFrom(...'abcXYZ019_-'), { minLength: 22, maxLength: 22 })
  .map((letters) => topicId(letters.join('')));
const leadership = {
  leader: fc.option(node),
  leaderEpoch: int32.map(leaderEpoch),
  partitionEpoch: int32,
};
const incarnation = { nodeId: node, brokerEpoch: fc.maxSafeNat().map(brokerEpoch) };
const port = fc.nat({ max: 65_535 });
const state = fc.constantFrom('fenced' as const, 'unfenced' as const, 'shutting-down' as const);
const level = fc.integer({ min: 1, max: 32_767 });
const registration: fc.Arbitrary<RegisterBrokerRecord> = fc.record({
  type: fc.constant('register-broker' as const),
  ...incarnation,
  incarnationId: text,
  directoryId: text,
  host: text,
  port,
  rack: text,
  listeners: fc.array(fc.record({ name: text, host: text, port, securityProtocol: text }), {
    maxLength: 4,
  }),
  peerAddress: text,
  features: fc.array(
    fc.record({ name: text, one: level, other: level }).map(({ name, one, other }) => ({
      name,
      min: Math.min(one, other),
      max: Math.max(one, other),
    })),
    { maxLength: 4 },
  ),
  state,
  statePosition: fc.maxSafeNat(),
  servedEpoch: fc.oneof(fc.constant(-1), fc.maxSafeNat()).map(brokerEpoch),
});
/** What registrations of version 1 say of themselves. */
const plainDetails = { listeners: [], peerAddress: '', features: [], state: 'unfenced' as const };
const plainEpochs = ({ brokerEpoch: epoch }: RegisterBrokerRecord) => ({
  ...{ statePosition: epoch, servedEpoch: epoch },
});
const anyRecord: fc.Arbitrary<MetadataRecord> = fc.oneof(
  fc.record({
    type: fc.constant('cluster' as const),
    format: fc.constant(1),
    clusterId: text,
    directoryId: text,
  }),
  registration,
  registration.map((record) => ({ ...record, ...plainDetails, ...plainEpochs(record) })),
  fc.record({ type: fc.constant('broker-change' as const), ...incarnation, state }),
  fc.record({ type: fc.constant('unregister-broker' as const), ...incarnation }),
  fc.record({
    type: fc.constant('feature-level' as const),
    name: fc.constant('metadata.version'),
    level: fc.integer({ min: 1, max: 2 }),
  }),
  fc.record({ type: fc.constant('topic' as const), topicId: anyTopicId, name: text }),
  fc
    .record({
      type: fc.constant('partition' as const),
      topicId: anyTopicId,
      index: int32,
      replicas: nodes,
      outOfSync: fc.nat({ max: 5 }),
      ...leadership,
    })
    .map(({ outOfSync, ...rest }) => ({ ...rest, isr: rest.replicas.slice(outOfSync) })),
  fc.record({
    type: fc.constant('partition-change' as const),
    topicId: anyTopicId,
    index: int32,
    isr: nodes,
    ...leadership,
  }),
  fc.record({
    type: fc.constant('topic-config' as const),
    topicId: anyTopicId,
    key: text,
    value: fc.option(text),
  }),
  fc.record({ type: fc.constant('remove-topic' as const), topicId: anyTopicId }),
  fc.record({
    type: fc.constant('producer-ids' as const),
    nextProducerId: fc.maxSafeNat().map(producerId),
  }),
);

test('a metadata record comes back from its bytes', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      expect(decodeMetadataRecord(encodeMetadataRecord(record))).toEqual(record);
    }),
    { numRuns: 500 },
  );
});

test('bytes that were cut or changed give a record or a named error, nothing else', () => {
  const damage = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }), cut: fc.nat() });
  fc.assert(
    fc.property(anyRecord, damage, (record, { at, mask, cut }) => {
      const bytes = encodeMetadataRecord(record).slice();
      const short = bytes.subarray(0, cut % bytes.length);
      expect(() => decodeMetadataRecord(short)).toThrow(CorruptError);
      bytes[at % bytes.length]! ^= mask;
      try {
        encodeMetadataRecord(decodeMetadataRecord(bytes));
      } catch (error) {
        expect(error instanceof CorruptError || error instanceof NewerFormatError).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

/** A history that a controller could write; every number picks what happens next. */
function history(picks: readonly number[]): MetadataImage[] {
  const images = [emptyImage];
  let nextId = 0;
  for (const pick of picks) {
    const image = images.at(-1)!;
    images.push(replay(image, nextRecord(image, pick, nextId++), image.position));
  }
  return images;
}

function nextRecord(image: MetadataImage, pick: number, serial: number): MetadataRecord {
  if (image.cluster === null) {
    return { type: 'cluster', format: 1, clusterId: 'c', directoryId: 'd' };
  }
  // Some histories begin as those of the first version did.
  if (metadataVersion(image) === 1 && pick % 4 === 0) {
    return { type: 'feature-level', name: 'metadata.version', level: 2 };
  }
  const topics = [...image.topics.values()];
  const topic = topics[pick % Math.max(topics.length, 1)];
  const id: TopicId = topicId(String(serial).padStart(22, 'x'));
  const kind = topic === undefined ? pick % 4 : pick % 9;
  const replicas: NodeId[] = [nodeId(pick % 5), nodeId(5)];
  if (kind === 0) return { type: 'topic', topicId: id, name: `topic${serial}` };
  if (kind === 1) return nextRegistration(image, pick);
  if (kind === 2) {
    return { type: 'producer-ids', nextProducerId: producerId(image.nextProducerId + 1 + pick) };
  }
  if (kind === 3) {
    const broker = [...image.brokers.values()][0];
    if (broker === undefined || metadataVersion(image) < 2) return nextRegistration(image, pick);
    const of = { nodeId: broker.nodeId, brokerEpoch: broker.brokerEpoch };
    if (pick % 5 === 0) return { type: 'unregister-broker', ...of };
    return { type: 'broker-change', ...of, state: states[pick % 3]! };
  }
  const { topicId: of, partitions } = topic!;
  if (kind === 8) return { type: 'remove-topic', topicId: of };
  if (kind === 4) {
    const value = pick % 3 === 0 ? null : String(pick);
    return { type: 'topic-config', topicId: of, key: `k${pick % 4}`, value };
  }
  const index = pick % Math.max(partitions.length, 1);
  const known = partitions[index];
  if (kind < 7 || known === undefined) {
    return {
      type: 'partition',
      topicId: of,
      index: partitions.length,
      replicas,
      isr: replicas,
      leader: replicas[0]!,
      leaderEpoch: leaderEpoch(0),
      partitionEpoch: 0,
    };
  }
  return {
    type: 'partition-change',
    topicId: of,
    index,
    isr: known.isr.slice(0, 1),
    leader: pick % 2 === 0 ? null : known.isr[0]!,
    leaderEpoch: leaderEpoch(known.leaderEpoch + 1),
    partitionEpoch: known.partitionEpoch + 1,
  };
}

const states = ['fenced', 'unfenced', 'shutting-down'] as const;

function nextRegistration(image: MetadataImage, pick: number): MetadataRecord {
  const plain = plainRegistration(pick % 4, image.position);
  if (metadataVersion(image) < 2) return plain;
  const servedEpoch = image.brokers.get(plain.nodeId)?.servedEpoch ?? brokerEpoch(-1);
  return { ...plain, features: supportedFeatures, state: 'fenced', servedEpoch };
}

const picks = fc.array(fc.nat({ max: 10_000 }), { maxLength: 120 });

/** All that an image says, without regard to how its maps came about. */
const content = (image: MetadataImage) => ({
  ...image,
  features: new Map(image.features),
  brokers: new Map(image.brokers),
  topics: new Map(image.topics),
  topicIds: new Map(image.topicIds),
  removedTopics: [...image.removedTopics],
});

test('the records of an image, through their bytes, build it again', () => {
  fc.assert(
    fc.property(picks, (each) => {
      const image = history(each).at(-1)!;
      let again = emptyImage;
      for (const record of imageRecords(image)) {
        const decoded = decodeMetadataRecord(encodeMetadataRecord(record));
        again = replay(again, decoded, image.position - 1);
      }
      expect(content(again)).toEqual(content(image));
    }),
  );
});

test('the changed topics between two images are those that a full comparison finds', () => {
  fc.assert(
    fc.property(picks, fc.nat(), (each, at) => {
      const images = history(each);
      const [before, after] = [images[at % images.length]!, images.at(-1)!];
      const expected = new Map<TopicId, unknown>();
      for (const id of new Set([...before.topics.keys(), ...after.topics.keys()])) {
        const [old, current] = [before.topics.get(id), after.topics.get(id)];
        if (old === current) continue;
        const count = Math.max(old?.partitions.length ?? 0, current?.partitions.length ?? 0);
        const partitions = Array.from({ length: count }, (_, index) => index).filter(
          (index) => old?.partitions[index] !== current?.partitions[index],
        );
        expected.set(id, { before: old, after: current, partitions });
      }
      const found = changedTopics(before, after).map(
        ({ topicId: id, configsChanged: _, ...rest }) => [id, rest] as const,
      );
      expect(new Map(found)).toEqual(expected);
    }),
  );
});
