import { crc32c } from '../../src/codec/crc32c.ts';
import { CorruptError } from '../../src/codec/reader.ts';
import { ByteWriter } from '../../src/codec/writer.ts';
import { FileTree } from '../../src/env/file-tree.ts';
import { MemoryFiles } from '../../src/env/memory-files.ts';
import { NodeClock } from '../../src/env/node-clock.ts';
import { NodeRandom } from '../../src/env/node-random.ts';
import { LogCorruptError, StorageError } from '../../src/log/disk-health.ts';
import { decodeMarks, encodeMarks, type LogMark, NO_INDEX } from '../../src/log/durable-marks.ts';
import {
  IDENTITY_FILE,
  journalFile,
  parseFolder,
  parseOffsetFile,
  parseTopicId,
} from '../../src/log/file-names.ts';
import { IdentityError, openIdentity } from '../../src/log/identity.ts';
import {
  chainOfHeader,
  encodeFrame,
  encodeJournalHeader,
  JOURNAL_HEADER_BYTES,
  NO_JOURNAL,
} from '../../src/log/journal-format.ts';
import { readJournal } from '../../src/log/journal-replay.ts';
import {
  decodeKafkaProducers,
  decodeOwnProducers,
  encodeProducers,
} from '../../src/log/producer-snapshot.ts';
import { SegmentIndexes } from '../../src/log/segment-indexes.ts';
import { emptyImage, replay } from '../../src/metadata/image.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  NewerFormatError,
} from '../../src/metadata/metadata-record-codec.ts';
import type { MetadataRecord } from '../../src/metadata/metadata-records.ts';
import {
  brokerEpoch,
  leaderEpoch,
  nodeId,
  offset,
  producerId,
  topicId,
} from '../../src/model/ids.ts';
import { decodeSnapshotMeta, encodeSnapshotMeta } from '../../src/quorum/configuration-codec.ts';
import { DamagedMetadataError } from '../../src/quorum/damaged-metadata-error.ts';
import { INITIAL_HARD_STATE } from '../../src/quorum/hard-state.ts';
import { HardStateFile } from '../../src/quorum/hard-state-file.ts';
import {
  decodeEntry,
  decodeRecords,
  encodeEntry,
  encodeRecords,
  type LinkedEntry,
} from '../../src/quorum/quorum-entry.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/quorum/snapshot-chunks.ts';
import type { Entry } from '../../src/raft/entry.ts';
import { plainRegistration } from '../support/broker-registration.ts';
import type { Target } from './target.ts';

const random = new NodeRandom();
const at = { index: 7, epoch: leaderEpoch(3) };
const members = { voters: [{ id: nodeId(1), directoryId: 'd' }], learners: [] };
const linked = (entry: Entry): LinkedEntry => ({ entry, previousEpoch: leaderEpoch(2) });
/** Of the first slot, the initial state, that nobody voted in. */
const HARD_STATE_SLOT_BYTES = 52;
const topic = topicId('AAAAAAAAAAAAAAAAAAAAAQ');
const isCorrupt = (error: unknown): boolean => error instanceof CorruptError;
const isCorruptOrNewer = (error: unknown): boolean =>
  isCorrupt(error) || error instanceof NewerFormatError;

/** Sets the checksum at `at` of what follows it, seeded as the format asks. */
function mendCrc(bytes: Uint8Array, at: number, seed = 0): void {
  if (bytes.length < at + 4) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(at, crc32c(bytes.subarray(at + 4), seed));
}

/** The frame of `checked-file.ts`: its checksum is seeded with that of what stands before it. */
function mendChecked(bytes: Uint8Array): void {
  if (bytes.length < 14) return;
  new DataView(bytes.buffer, bytes.byteOffset).setInt32(6, bytes.length - 14);
  mendCrc(bytes, 10, crc32c(bytes.subarray(0, 10)));
}

const mark = (partition: number): LogMark => ({
  topicPartition: { topic: 'orders', partition },
  topicId: topic,
  logStartOffset: offset(5),
  endOffset: offset(2 ** 40),
  segmentBase: offset(2 ** 39),
  position: 4711,
  finishedBefore: offset(2 ** 39),
  index: NO_INDEX,
  isClean: partition === 1,
  segmentCount: 7,
  totalBytes: 2 ** 45,
  epochs: [{ epoch: leaderEpoch(0), startOffset: offset(5) }],
});

const producers = encodeProducers(
  [1, 2].map((id) => ({
    id: producerId(id),
    epoch: id,
    batches: [0, 1].slice(0, id).map((at) => ({
      firstSequence: at * 10,
      lastSequence: at * 10 + 9,
      firstOffset: offset(at * 10),
      lastOffset: offset(at * 10 + 9),
      timestampMs: 1000 + at,
    })),
    lastAppendMs: 1001,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1,
  })),
);

/** A part with two frames. */
function journalPart(): Uint8Array {
  const out = new ByteWriter();
  const header = encodeJournalHeader({ number: 1, chainBefore: 0 });
  out.bytes(header);
  const key = { topicId: topic, partition: 1 };
  const place = { segmentBase: offset(5), position: 10, chunks: [Buffer.from('batch')], bytes: 5 };
  let chain = encodeFrame(out, [{ kind: 'write', ...key, ...place }], chainOfHeader(header));
  chain = encodeFrame(out, [{ kind: 'void', ...key }], chain);
  return out.toBytes();
}

/** Makes the checksums of the header and of the first frame right again. */
function mendJournal(bytes: Uint8Array): void {
  if (bytes.length < JOURNAL_HEADER_BYTES + 8) return;
  const header = bytes.subarray(0, JOURNAL_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(JOURNAL_HEADER_BYTES - 4, chainOfHeader(header));
  const length = view.getInt32(JOURNAL_HEADER_BYTES);
  const from = JOURNAL_HEADER_BYTES + 8;
  if (length <= 0 || length > bytes.length - from) return;
  const content = bytes.subarray(from, from + length);
  view.setUint32(JOURNAL_HEADER_BYTES + 4, crc32c(content, chainOfHeader(header)));
}

const logTargets: readonly Target[] = [
  {
    name: 'durable marks',
    weight: 2,
    corpus: [
      encodeMarks([], NO_JOURNAL),
      encodeMarks([mark(0), mark(1)], { part: 2, position: 99 }),
    ],
    run: (bytes) => void decodeMarks(bytes),
    refuses: isCorrupt,
    mend: mendChecked,
  },
  {
    name: 'commit journal',
    weight: 2,
    corpus: [journalPart()],
    run: async (bytes) => {
      const name = journalFile(1);
      await readJournal(await filesWith(name, bytes), 'd', NO_JOURNAL);
    },
    refuses: (error) => error instanceof StorageError,
    mend: mendJournal,
  },
  {
    name: 'producers',
    weight: 2,
    corpus: [producers.own],
    run: (bytes) => void decodeOwnProducers(bytes),
    refuses: isCorrupt,
    mend: mendChecked,
  },
  {
    name: 'producer snapshot of Kafka',
    weight: 2,
    corpus: [producers.kafka],
    run: (bytes) => void decodeKafkaProducers(bytes),
    refuses: isCorrupt,
    mend: (bytes) => mendCrc(bytes, 2),
  },
  indexes(),
  {
    name: 'identity',
    weight: 1,
    corpus: await identities(),
    run: async (bytes) => {
      const claim = { clusterId: 'c', nodeId: nodeId(1) };
      await openIdentity('d', claim, { files: await filesWith(IDENTITY_FILE, bytes), random });
    },
    refuses: (error) => error instanceof IdentityError,
  },
  {
    name: 'file names',
    weight: 1,
    corpus: [
      '00000000000000000042.log',
      'orders-3',
      `orders-3.${topic}-delete`,
      `version: 0\ntopic_id: ${topic}\n`,
    ].map((name) => Buffer.from(name)),
    run: (bytes) => {
      const name = Buffer.from(bytes).toString();
      const found = [parseFolder(name), parseOffsetFile(name), parseTopicId(name)];
      if (found.every((each) => each === undefined)) throw new CorruptError('no name of ours');
    },
    refuses: isCorrupt,
  },
];

async function filesWith(name: string, content: Uint8Array): Promise<MemoryFiles> {
  const files = new MemoryFiles(new NodeClock(), new FileTree());
  await files.makeDirectory('d');
  const file = await files.open(`d/${name}`, 'create');
  await file.write(0, [content]);
  await file.close();
  return files;
}

async function identities(): Promise<Uint8Array[]> {
  const files = new MemoryFiles(new NodeClock(), new FileTree());
  await files.makeDirectory('d');
  const claim = { clusterId: 'c', nodeId: nodeId(1) };
  await openIdentity('d', claim, { files, random: new NodeRandom() });
  const content = await files.readFile(`d/${IDENTITY_FILE}`);
  return [content, Buffer.from('null'), Buffer.from('{"formatVersion":2}')];
}

/** Both index files of a segment of 4 KiB, one behind the other. */
function indexes(): Target {
  const sound = new SegmentIndexes(offset(100));
  for (let i = 1; i < 20; i++) sound.add(i * 200, offset(100 + i), 1000 + i, 0);
  sound.finish();
  const parts = [sound.offsets.table.bytesFrom(0), sound.times.table.bytesFrom(0)];
  return {
    name: 'indexes',
    weight: 2,
    corpus: [Buffer.concat(parts), new Uint8Array(0)],
    run: (bytes) => {
      const split = Math.floor(bytes.length / 2.5 / 8) * 8;
      const times = bytes.slice(split);
      if (times.length % 12 !== 0) throw new CorruptError('a file ends inside an entry');
      const loaded = new SegmentIndexes(offset(100), { offsets: bytes.slice(0, split), times });
      const problem = loaded.problem(4096, offset(200));
      if (problem !== null) throw new CorruptError(problem);
      // What passed is believed: it leads nowhere but into the segment.
      for (const target of [0, 100, 150, 2 ** 50]) {
        const position = loaded.floorPosition(offset(target));
        if (!(position >= 0 && position < 4096)) throw new Error(`byte ${position} of 4096`);
      }
    },
    refuses: isCorrupt,
  };
}

const records: readonly MetadataRecord[] = [
  { type: 'cluster', format: 1, clusterId: 'c', directoryId: 'd' },
  plainRegistration(1, 1),
  { type: 'topic', topicId: topic, name: 'orders' },
  {
    type: 'partition',
    topicId: topic,
    index: 0,
    replicas: [nodeId(1)],
    isr: [nodeId(1)],
    leader: nodeId(1),
    leaderEpoch: leaderEpoch(0),
    partitionEpoch: 0,
  },
  { type: 'topic-config', topicId: topic, key: 'retention.ms', value: '1' },
  { type: 'topic-config', topicId: topic, key: 'retention.ms', value: null },
  { type: 'remove-topic', topicId: topic },
  { type: 'producer-ids', nextProducerId: producerId(1000) },
  { type: 'feature-level', name: 'metadata.version', level: 2 },
  plainRegistration(2, 2, {
    listeners: [{ name: 'A', host: 'h', port: 9092, securityProtocol: 'SSL' }],
    peerAddress: 'h:9093',
    features: [{ name: 'metadata.version', min: 1, max: 2 }],
    state: 'fenced',
  }),
  { type: 'broker-change', nodeId: nodeId(2), brokerEpoch: brokerEpoch(2), state: 'unfenced' },
  { type: 'unregister-broker', nodeId: nodeId(2), brokerEpoch: brokerEpoch(2) },
];

const encoded = records.map(encodeMetadataRecord);
const loadedImage = records.slice(0, 4).reduce(replay, emptyImage);

const metadataTargets: readonly Target[] = [
  {
    name: 'metadata records',
    weight: 4,
    corpus: encoded,
    run: (bytes) => {
      const record = decodeMetadataRecord(bytes);
      const again = encodeMetadataRecord(record);
      if (Buffer.compare(again, bytes) !== 0) throw new Error('it is written otherwise again');
      if (record.type === 'topic-config') replay(loadedImage, { ...record, topicId: topic }, 9);
    },
    refuses: isCorruptOrNewer,
  },
  {
    name: 'entries of the metadata log',
    weight: 2,
    corpus: [
      encodeEntry(linked({ ...at, kind: 'command', bytes: encodeRecords(encoded) })),
      encodeEntry(linked({ ...at, kind: 'empty' })),
      encodeEntry(linked({ ...at, kind: 'configuration', configuration: members })),
    ],
    run: (bytes) => {
      const { entry } = decodeEntry(7, bytes);
      if (entry.kind === 'command') decodeRecords(entry.bytes);
    },
    refuses: isCorruptOrNewer,
    mend: (bytes) => mendCrc(bytes, 0, seedOf(7, 8)),
  },
  {
    name: 'snapshots of the metadata',
    weight: 2,
    corpus: encodeSnapshot({ lastIndex: 9, epoch: leaderEpoch(2), records: encoded }),
    run: (bytes) => void decodeSnapshot(new Map([[0, bytes]])),
    refuses: isCorrupt,
    mend: (bytes) => mendCrc(bytes, 0, seedOf(0, 4)),
  },
  {
    name: 'members of a snapshot',
    weight: 1,
    corpus: [encodeSnapshotMeta({ last: at, configuration: members, configurationIndex: 3 })],
    run: (bytes) => void decodeSnapshotMeta(bytes),
    refuses: isCorrupt,
    mend: (bytes) => mendCrc(bytes, 0, crc32c(Uint8Array.of(0x63))),
  },
  {
    name: 'hard state',
    weight: 1,
    corpus: [await hardState()],
    run: async (bytes) => {
      const file = await HardStateFile.open(await filesWith('hard-state', bytes), 'd');
      await file?.close();
    },
    refuses: (error) =>
      error instanceof DamagedMetadataError || isCorrupt(error) || error instanceof LogCorruptError,
    mend: (bytes) => {
      if (bytes.length < HARD_STATE_SLOT_BYTES) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      view.setUint32(0, crc32c(bytes.subarray(4, HARD_STATE_SLOT_BYTES)));
    },
  },
];

/** Checksum of the key of an entry or a chunk, which that of the value goes on from. */
function seedOf(key: number, bytes: 4 | 8): number {
  const out = new ByteWriter(8);
  if (bytes === 4) out.int32(key);
  else out.int64(key);
  return crc32c(out.toBytes());
}

async function hardState(): Promise<Uint8Array> {
  const files = new MemoryFiles(new NodeClock(), new FileTree());
  await files.makeDirectory('d');
  const file = await HardStateFile.create(files, 'd', INITIAL_HARD_STATE);
  await file.write({ ...file.state, batch: 3, last: at, votedFor: members.voters[0]! });
  await file.close();
  return await files.readFile('d/hard-state');
}

export const fileTargets: readonly Target[] = [...logTargets, ...metadataTargets];
