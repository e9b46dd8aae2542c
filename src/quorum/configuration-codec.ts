import { crc32c } from '../codec/crc32c.ts';
import { ByteReader, CorruptError, corruptIfBroken } from '../codec/reader.ts';
import { ByteWriter } from '../codec/writer.ts';
import { assert } from '../model/assert.ts';
import { leaderEpoch, nodeId } from '../model/ids.ts';
import type { Configuration, Member } from '../raft/configuration.ts';
import type { SnapshotMeta } from '../raft/entry.ts';

/** Most bytes of a directory id, so that a vote fits into a sector of the file `hard-state`. */
export const MAX_DIRECTORY_ID_BYTES: number = 255;

const CRC_BYTES = 4;
/** The least that a member takes. */
const MEMBER_BYTES = 6;
/** What the checksum of the members of a snapshot goes on from: that of their key. */
const META_SEED = crc32c(Uint8Array.of(0x63));

/** `id int32 | length int16 | directory id, UTF-8`. */
export function writeMember(out: ByteWriter, { id, directoryId }: Member): void {
  const directory = new TextEncoder().encode(directoryId);
  assert(directory.length <= MAX_DIRECTORY_ID_BYTES, 'a directory id is short');
  out.int32(id);
  out.int16(directory.length);
  out.bytes(directory);
}

/** The twin of `writeMember`; one that could not be written is refused. */
export function readMember(reader: ByteReader): Member {
  const id = nodeId(reader.int32());
  const length = reader.int16();
  if (length > MAX_DIRECTORY_ID_BYTES) throw new CorruptError(`a directory id has ${length} bytes`);
  return { id, directoryId: reader.utf8(length) };
}

/** `voters int32 | member each | learners int32 | member each`. */
export function writeConfiguration(out: ByteWriter, { voters, learners }: Configuration): void {
  for (const members of [voters, learners]) {
    out.int32(members.length);
    for (const member of members) writeMember(out, member);
  }
}

/** The twin of `writeConfiguration`. */
export const readConfiguration = (reader: ByteReader): Configuration => ({
  voters: readMembers(reader),
  learners: readMembers(reader),
});

function readMembers(reader: ByteReader): Member[] {
  const count = reader.count(reader.int32(), MEMBER_BYTES);
  return Array.from({ length: count }, () => readMember(reader));
}

/**
 * What the snapshot of a store stands for, as a value of the store; big-endian:
 *
 *     crc32c uint32 (of the key and all that follows) |
 *     last index int64 | its epoch int32 | index of the configuration int64 | configuration
 */
export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  const out = new ByteWriter(256);
  out.int32(0);
  out.int64(meta.last.index);
  out.int32(meta.last.epoch);
  out.int64(meta.configurationIndex);
  writeConfiguration(out, meta.configuration);
  out.setInt32(0, crc32c(out.toBytes().subarray(CRC_BYTES), META_SEED) | 0);
  return out.toBytes();
}

/** @throws CorruptError if the value is not what `encodeSnapshotMeta` makes */
export function decodeSnapshotMeta(value: Uint8Array): SnapshotMeta {
  const reader = new ByteReader(value);
  if (reader.uint32() !== crc32c(value.subarray(CRC_BYTES), META_SEED)) {
    throw new CorruptError('its checksum is wrong');
  }
  return corruptIfBroken(() => {
    const last = { index: reader.int64(), epoch: leaderEpoch(reader.int32()) };
    const configurationIndex = reader.int64();
    const configuration = readConfiguration(reader);
    if (reader.remaining > 0) throw new CorruptError(`${reader.remaining} bytes follow`);
    return { last, configuration, configurationIndex };
  });
}
