import { expect, test } from 'vitest';
import { StoreLockedError, type StoreOperation } from '../../../src/env/ports.ts';
import { decodeMetadataRecord } from '../../../src/metadata/metadata-record-codec.ts';
import { Errors } from '../../../src/model/errors.ts';
import { nodeId } from '../../../src/model/ids.ts';
import { DamagedMetadataError } from '../../../src/quorum/damaged-metadata-error.ts';
import type { SnapshotSource } from '../../../src/quorum/quorum-driver.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { simulatedEnv } from '../../simulation/env/simulated-env.ts';
import { LoneQuorum } from '../../support/lone-quorum.ts';

const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (record: Uint8Array) =>
  record[0] === 0 ? decodeMetadataRecord(record).type : new TextDecoder().decode(record);

/** A machine with a data directory, and verbs to run a quorum on it. */
async function machine() {
  const simulated = simulatedEnv({ seed: 1 });
  const fatal: unknown[] = [];
  const done = <T>(promise: Promise<T>) => simulated.scheduler.complete(promise);
  await done(simulated.env.files.makeDirectory('/data'));
  const open = (snapshotIntervalEntries = 1000) =>
    done(
      LoneQuorum.open(
        {
          dataDirectory: '/data',
          nodeId: nodeId(1),
          snapshotIntervalEntries,
          onFatal: (error) => fatal.push(error),
        },
        simulated.env,
        silentLogger,
      ),
    );
  const formed = async (snapshotIntervalEntries?: number) => {
    const quorum = await open(snapshotIntervalEntries);
    await done(quorum.form('the-cluster', 'the-directory'));
    return quorum;
  };
  const store = async (...change: StoreOperation[]) => {
    const opened = await simulated.env.stores.open('/data/metadata');
    await opened.batch(change, { sync: true });
    const content: (readonly [Uint8Array, Uint8Array])[] = [];
    for await (const each of opened.entries(EVERYTHING)) content.push(each);
    await opened.close();
    return content;
  };
  return { simulated, disk: simulated.disk, fatal, done, open, formed, store };
}

/** What a quorum hands over, as `2:cluster 3:a,b`. */
const loaded = (quorum: LoneQuorum) =>
  quorum
    .takeEntries()
    .map(({ position, records }) => `${position}:${records.map(text)}`)
    .join(' ');

test('an empty data directory waits for the cluster to be formed', async () => {
  const { open, done } = await machine();
  const quorum = await open();
  expect(quorum.isFormed).toBe(false);
  expect(() => quorum.append([bytes('a')])).toThrow('takes part when it is started');
  await done(quorum.form('the-cluster', 'the-directory'));
  expect(quorum.isFormed).toBe(true);
  expect([quorum.epoch, quorum.nextPosition]).toEqual([1, 3]);
  const [entry] = quorum.takeEntries();
  expect(decodeMetadataRecord(entry!.records[0]!)).toEqual({
    type: 'cluster',
    format: 1,
    clusterId: 'the-cluster',
    directoryId: 'the-directory',
  });
  await expect(done(quorum.form('other', 'other'))).rejects.toThrow('formed once');
});

test('a quorum that was opened again has what was committed, in the next epoch', async () => {
  const { open, formed, done } = await machine();
  const quorum = await formed();
  expect(quorum.append([bytes('a'), bytes('b')])).toBe(4);
  await done(quorum.committed(4));
  await done(quorum.close());
  const again = await open();
  expect(again.isFormed).toBe(true);
  expect(again.epoch).toBe(2);
  // 1 has the members, and with 4 the second epoch begins.
  expect(loaded(again)).toBe('2:cluster,feature-level 3:a,b');
  expect(again.nextPosition).toBe(5);
  expect(loaded(again)).toBe('');
});

test('to lead takes one batch: the vote, and what the epoch begins with', async () => {
  const { open, done, disk } = await machine();
  const syncs: string[] = [];
  disk.onSync = (kind) => {
    syncs.push(kind);
    return undefined;
  };
  const quorum = await open();
  expect(syncs).toEqual([]);
  await done(quorum.form('the-cluster', 'the-directory'));
  // The file and its name; then the batch.
  expect(syncs.splice(0)).toEqual(['file', 'directory', 'store', 'file']);
  await done(quorum.close());
  await open();
  // What was found in the file is made durable first.
  expect(syncs).toEqual(['file', 'store', 'file']);
});

test('what is appended in one turn is stored with one sync of the store and one of the file', async () => {
  const { formed, done, disk } = await machine();
  const quorum = await formed();
  const syncs: string[] = [];
  disk.onSync = (kind) => {
    syncs.push(kind);
    return undefined;
  };
  let position = 0;
  for (let i = 0; i < 50; i++) position = quorum.append([bytes(`${i}`)]);
  const order: string[] = [];
  void quorum.committed(4).then(() => order.push(`first after ${syncs}`));
  await done(quorum.committed(position));
  expect(order).toEqual(['first after store,file']);
  await done(quorum.committed(position));
  expect(syncs).toEqual(['store', 'file']);
});

test('what is appended while the disk is busy makes the next group', async () => {
  const { formed, done, disk } = await machine();
  const quorum = await formed();
  let groups = 0;
  disk.onSync = (kind) => {
    if (kind === 'store') groups++;
    if (kind === 'store' && groups === 1) {
      for (let i = 0; i < 20; i++) quorum.append([bytes(`late ${i}`)]);
    }
    return undefined;
  };
  await done(quorum.committed(quorum.append([bytes('first')])));
  await done(quorum.committed(quorum.nextPosition));
  expect(groups).toBe(2);
});

/** A store says no more than that it failed. */
const codeIn = (operation: string): string =>
  operation === 'syncStore' ? 'LEVEL_IO_ERROR' : 'EIO';

test('a failed store or file ends everything, and the owner is told once', async () => {
  for (const operation of ['syncStore', 'write', 'sync'] as const) {
    const code = codeIn(operation);
    const { formed, done, disk, fatal } = await machine();
    const quorum = await formed();
    const before = quorum.append([bytes('before')]);
    await done(quorum.committed(before));
    disk.plan({ operation, path: /./, code: 'EIO' });
    const lost = [quorum.append([bytes('a')]), quorum.append([bytes('b')])].map((position) =>
      quorum.committed(position).catch((error: Error) => error.message),
    );
    const messages = await done(Promise.all(lost));
    for (const message of messages) {
      expect(message).toMatch(/^this node cannot store the metadata: .* \/data\/.*: \w+$/);
      expect(message).toContain(code);
    }
    expect(fatal).toEqual([expect.objectContaining({ code })]);
    expect(() => quorum.append([bytes('c')])).toThrow(code);
    await expect(done(quorum.committed(quorum.nextPosition))).rejects.toThrow(code);
    await done(quorum.committed(before));
    await done(quorum.close());
    expect(fatal).toHaveLength(1);
  }
});

test('a cluster whose forming failed is not formed, and is tried again only by another process', async () => {
  for (const operation of ['syncStore', 'write', 'sync', 'syncDirectory'] as const) {
    const code = codeIn(operation);
    const { simulated, open, done, disk } = await machine();
    const quorum = await open();
    disk.plan({ operation, path: /./, code: 'EIO' });
    await expect(done(quorum.form('a', 'd'))).rejects.toThrow(code);
    expect(quorum.isFormed).toBe(false);
    await expect(done(quorum.form('b', 'd'))).rejects.toThrow(code);
    simulated.crash('process');
    simulated.restart();
    const again = await open();
    if (!again.isFormed) await done(again.form('c', 'd'));
    expect(again.takeEntries()).toHaveLength(1);
  }
});

test('a snapshot that cannot be stored ends everything too', async () => {
  const { formed, done, disk, fatal } = await machine();
  const quorum = await formed(1);
  disk.plan({ operation: 'writeStore', path: /./, code: 'ENOSPC' });
  quorum.provideSnapshots(() => ({ position: 3, records: () => [] }));
  // What was committed before the snapshot stays so.
  await done(quorum.committed(quorum.append([bytes('a')])));
  await done(quorum.close());
  expect(fatal).toEqual([expect.objectContaining({ code: 'LEVEL_IO_ERROR' })]);
});

test('closing stores what was appended and refuses more', async () => {
  const { open, formed, done, fatal } = await machine();
  const quorum = await formed();
  const position = quorum.append([bytes('a')]);
  const committed = quorum.committed(position);
  await done(quorum.close());
  await done(committed);
  expect(() => quorum.append([bytes('b')])).toThrow('the controller has stopped');
  expect(fatal).toEqual([]);
  expect(loaded(await open())).toBe('2:cluster,feature-level 3:a');
});

test('an entry that is too large is refused and leaves no gap', async () => {
  const { open, formed, done } = await machine();
  const quorum = await formed();
  const large = new Uint8Array(32 * 1024 * 1024 + 1);
  expect(() => quorum.append([large])).toThrow(
    expect.objectContaining({ row: Errors.REQUEST_TOO_LARGE }),
  );
  await done(quorum.committed(quorum.append([bytes('a')])));
  await done(quorum.close());
  expect(loaded(await open())).toBe('2:cluster,feature-level 3:a');
});

test('after the interval a snapshot takes the place of the entries', async () => {
  const { open, formed, done, store } = await machine();
  const quorum = await formed(10);
  let current: SnapshotSource = { position: 0, records: () => [] };
  quorum.provideSnapshots(() => current);
  for (let i = 3; i <= 15; i++) await done(quorum.committed(quorum.append([bytes(`${i}`)])));
  current = { position: 14, records: () => [bytes('below'), bytes('14')] };
  await done(quorum.committed(quorum.append([bytes('16')])));
  await done(quorum.close());
  expect((await done(store())).map(([key]) => key.at(-1))).toEqual([0x63, 14, 15, 16, 0x68, 0]);
  expect(loaded(await open())).toBe('13:below,14 14:14 15:15 16:16');
});

test('no snapshot is made before the interval, and each once', async () => {
  const { formed, done } = await machine();
  const quorum = await formed(10);
  let made = 0;
  let position = 3;
  quorum.provideSnapshots(() => ({
    position,
    records() {
      made++;
      return [];
    },
  }));
  for (let i = 3; i <= 32; i++) {
    await done(quorum.committed(quorum.append([bytes(`${i}`)])));
    position = i;
  }
  await done(quorum.close());
  expect(made).toBe(3);
});

test('a data directory that is in use is refused', async () => {
  const { open, formed } = await machine();
  await formed();
  await expect(open()).rejects.toThrow(StoreLockedError);
});

test('a process that was killed leaves the directory free', async () => {
  const { simulated, done, formed, open } = await machine();
  const quorum = await formed();
  await done(quorum.committed(quorum.append([bytes('a')])));
  simulated.crash('process');
  simulated.restart();
  expect(loaded(await open())).toBe('2:cluster,feature-level 3:a');
});

test('a lost file or a store that is behind it is a damaged disk: refused, and nothing is changed', async () => {
  const damages: [string, (m: Awaited<ReturnType<typeof machine>>) => Promise<unknown>][] = [
    [
      'the file hard-state is missing',
      ({ simulated }) => simulated.env.files.removeFile('/data/hard-state'),
    ],
    [
      'the store ends with entry 0 of epoch 0 in epoch 0 (batch 0, vote for nobody), the file hard-state with entry 3 of epoch 1 in epoch 1 (batch 2, vote for 1)',
      async ({ store }) => {
        const content = await store();
        await store(...content.map(([key]) => ({ type: 'delete' as const, key })));
      },
    ],
  ];
  for (const [message, damage] of damages) {
    const m = await machine();
    const quorum = await m.formed();
    await m.done(quorum.committed(quorum.append([bytes('a')])));
    await m.done(quorum.close());
    await m.done(damage(m));
    const before = await m.done(m.store());
    await expect(m.open()).rejects.toThrow(DamagedMetadataError);
    await expect(m.open()).rejects.toThrow(message);
    expect(await m.done(m.store())).toEqual(before);
  }
});
