import { expect, test } from 'vitest';
import { ApiError, Errors } from '../../../src/model/errors.ts';
import { leaderEpoch } from '../../../src/model/ids.ts';
import { encodeSnapshot } from '../../../src/quorum/snapshot-chunks.ts';
import type { RaftMessage } from '../../../src/raft/messages.ts';
import { nothingArrives } from '../../simulation/env/fate.ts';
import { DriverCluster, memberOf } from '../../simulation/quorum/driver-cluster.ts';

/** Followers that are behind need a snapshot soon, and get it in many pieces. */
const SMALL = { snapshotIntervalEntries: 5, raft: { entriesKept: 0, messageBytesMax: 100 } };

const texts = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

/** How an append ended: `done`, or the name of its error. */
const outcomeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.row.name : String(error)),
  );

test('three nodes elect one, and all apply what it appends', async () => {
  const cluster = await DriverCluster.started({ seed: 1 });
  await cluster.appended('a', 'b', 'c');
  expect(await cluster.converged()).toEqual(['2 a', '3 b', '4 c']);
  expect(cluster.up.filter(({ driver }) => driver.status.role === 'leader')).toHaveLength(1);
});

test('what is appended in one turn is stored together, on each node', async () => {
  const cluster = await DriverCluster.started({ seed: 2 });
  await cluster.appended('first');
  const leader = await cluster.settled();
  let syncs = 0;
  leader.machine.disk.onSync = (kind) => {
    if (kind === 'store') syncs++;
    return undefined;
  };
  await cluster.appended(...texts('x', 100));
  expect(syncs).toBe(1);
});

test('each node may lose its power in turn: nothing acknowledged is lost', async () => {
  const cluster = await DriverCluster.started({ seed: 3 });
  for (let round = 0; round < 6; round++) {
    await cluster.appended(...texts(`round ${round} `, 5));
    const id = (round % 3) + 1;
    cluster.crash(id, 'power', nothingArrives);
    await cluster.appended(`without ${id}`);
    await cluster.start(id);
    await cluster.converged();
  }
  expect(cluster.acknowledged).toHaveLength(36);
});

test('a cluster that loses all power at once goes on where it was', async () => {
  const cluster = await DriverCluster.started({ seed: 4 });
  await cluster.appended('a', 'b');
  for (const id of [1, 2, 3]) cluster.crash(id, 'power', nothingArrives);
  for (const id of [1, 2, 3]) await cluster.start(id);
  await cluster.appended('c');
  expect((await cluster.converged()).map((line) => line.split(' ')[1])).toEqual(['a', 'b', 'c']);
});

test('a follower that is far behind gets the snapshot in pieces, and keeps it', async () => {
  const cluster = await DriverCluster.started({ seed: 5, ...SMALL });
  const leader = await cluster.settled();
  const id = (leader.member.id % 3) + 1;
  cluster.crash(id);
  for (let i = 0; i < 30; i++) await cluster.appended(`entry number ${i}`);
  await cluster.start(id);
  const state = await cluster.converged();
  expect(state).toHaveLength(30);
  expect(cluster.count('snapshot-chunk')).toBeGreaterThan(3);
  expect(cluster.count('restore')).toBe(1);
  cluster.crash(id, 'power', nothingArrives);
  await cluster.start(id);
  expect(await cluster.converged()).toEqual(state);
});

test('a snapshot that comes damaged is asked for again', async () => {
  const cluster = await DriverCluster.started({ seed: 6, ...SMALL });
  const leader = await cluster.settled();
  const id = (leader.member.id % 3) + 1;
  cluster.crash(id);
  for (let i = 0; i < 12; i++) await cluster.appended(`entry number ${i}`);
  let damaged = 0;
  cluster.tamper = (message) => {
    if (message.kind !== 'snapshot-chunk' || !message.isLast || damaged > 0) return message;
    damaged++;
    const bytes = message.bytes.slice();
    bytes[bytes.length - 1]! ^= 1;
    return { ...message, bytes };
  };
  await cluster.start(id);
  expect(await cluster.converged()).toHaveLength(12);
  expect(damaged).toBe(1);
  expect(cluster.node(id).fatal).toEqual([]);
});

test('a leader that is cut off steps down, and who waits there is told by name', async () => {
  const cluster = await DriverCluster.started({ seed: 7 });
  await cluster.appended('before');
  const old = await cluster.settled();
  cluster.cutOff.add(old.member.id);
  const waiting = ['lost 1', 'lost 2'].map((text) => outcomeOf(cluster.append(old, text)));
  const read = outcomeOf(old.driver.read());
  expect(await cluster.scheduler.complete(Promise.all([...waiting, read]))).toEqual([
    ...['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT', 'NOT_CONTROLLER'],
  ]);
  expect(old.driver.status.role).not.toBe('leader');
  expect(() => old.driver.propose(new Uint8Array(1))).toThrow(
    expect.objectContaining({ row: Errors.NOT_CONTROLLER }),
  );
  await cluster.appended('after');
  cluster.cutOff.clear();
  const state = await cluster.converged();
  expect(state.map((line) => line.replace(/^\d+ /, ''))).toEqual(['before', 'after']);
});

test('a read waits until what was committed is applied; followers know no better', async () => {
  const cluster = await DriverCluster.started({ seed: 8 });
  await cluster.appended('a');
  const leader = await cluster.settled();
  const index = await cluster.scheduler.complete(leader.driver.read());
  expect(index).toBe(2);
  expect(leader.appliedIndex).toBeGreaterThanOrEqual(index);
  const follower = cluster.up.find((node) => node !== leader)!;
  await expect(follower.driver.read()).rejects.toThrow(
    `does not lead the metadata quorum (not-leader), node ${leader.member.id} does`,
  );
});

test('a disk that fails ends its node, once, and the others go on', async () => {
  const cluster = await DriverCluster.started({ seed: 9 });
  await cluster.appended('a');
  const leader = await cluster.settled();
  leader.machine.disk.plan({ operation: 'syncStore', path: /./, code: 'EIO' });
  const { driver } = leader;
  const lost = outcomeOf(cluster.append(leader, 'b'));
  expect(await cluster.scheduler.complete(lost)).toBe('REQUEST_TIMED_OUT');
  expect(leader.fatal).toHaveLength(1);
  expect(() => driver.propose(new Uint8Array(1))).toThrow('cannot store the metadata');
  await cluster.scheduler.complete(driver.close());
  await cluster.appended('c');
  await cluster.converged();
  expect(leader.fatal).toHaveLength(1);
});

test('a leadership is handed over', async () => {
  const cluster = await DriverCluster.started({ seed: 10 });
  const leader = await cluster.settled();
  const to = memberOf((leader.member.id % 3) + 1);
  const done = leader.driver.transferLeadership(to);
  expect(await cluster.scheduler.complete(done)).toBeNull();
  expect((await cluster.settled()).member).toEqual(to);
  expect(await leader.driver.transferLeadership(to)).toBe('not-leader');
});

test('a leader that is removed answers that it is done before it leads no more', async () => {
  const cluster = await DriverCluster.started({ seed: 1 });
  await cluster.appended('a');
  const { member, driver } = await cluster.settled();
  const removed = driver.changeMembership({ kind: 'remove', member });
  expect(await cluster.scheduler.complete(removed)).toBeNull();
  expect(driver.status.role).toBe('follower');
  cluster.crash(member.id);
  await cluster.appended('c');
});

test('a node joins, is promoted, and another leaves', async () => {
  const cluster = await DriverCluster.started({ seed: 11 });
  const { scheduler } = cluster;
  await cluster.appended('a');
  await cluster.start(4);
  const change = async (kind: 'add-learner' | 'promote' | 'remove', id: number) => {
    const { driver } = await cluster.settled();
    return scheduler.complete(driver.changeMembership({ kind, member: memberOf(id) }));
  };
  expect(await change('add-learner', 4)).toBeNull();
  expect(await change('add-learner', 4)).toBe('id-in-use');
  await cluster.converged();
  await cluster.pass(200);
  expect(await change('promote', 4)).toBeNull();
  const leader = await cluster.settled();
  const leaving = (leader.member.id % 3) + 1;
  expect(await change('remove', leaving)).toBeNull();
  cluster.crash(leaving);
  await cluster.appended('b');
  expect(await cluster.converged()).toHaveLength(2);
  for (const id of [1, 2, 3, 4].filter((each) => each !== leaving)) {
    cluster.crash(id, 'power', nothingArrives);
    await cluster.start(id);
  }
  await cluster.appended('c');
  const voters = cluster.leader!.driver.status.configuration.voters.map(({ id }) => id);
  expect(voters).toEqual([1, 2, 3, 4].filter((each) => each !== leaving));
});

test('closing ends what waits by name, and lets the data directory go', async () => {
  const cluster = await DriverCluster.started({ seed: 12 });
  const leader = await cluster.settled();
  cluster.cutOff.add(leader.member.id);
  const waiting = outcomeOf(cluster.append(leader, 'a'));
  const { driver } = leader;
  await cluster.scheduler.complete(driver.close());
  expect(await cluster.scheduler.complete(waiting)).toBe('REQUEST_TIMED_OUT');
  await expect(driver.read()).rejects.toThrow('the controller has stopped');
  cluster.cutOff.clear();
  await cluster.start(leader.member.id);
  await cluster.appended('b');
  await cluster.converged();
});

test('the only voter sets no timers when it leads', async () => {
  const cluster = await DriverCluster.started({ seed: 13, voters: 1 });
  await cluster.appended('a');
  const before = cluster.scheduler.traceHash;
  await cluster.pass(60_000);
  expect(cluster.scheduler.traceHash).toBe(before);
});

test('a snapshot of its own that is overtaken by two of the leader is not stored any more', async () => {
  const cluster = new DriverCluster({ seed: 15, snapshotIntervalEntries: 5 });
  await cluster.start(2);
  const node = cluster.node(2);
  const [leader, driver] = [memberOf(1), node.driver!];
  const epoch = leaderEpoch(1);
  const tell = (message: RaftMessage): void => driver.received(leader, node.member, message);
  const snapshotAt = (index: number): RaftMessage => {
    const last = { index, epoch };
    const configuration = { voters: [1, 2, 3].map(memberOf), learners: [] };
    const [chunk] = encodeSnapshot({ lastIndex: index, epoch, records: [] });
    const bytes = new Uint8Array(4 + chunk!.length);
    new DataView(bytes.buffer).setUint32(0, chunk!.length);
    bytes.set(chunk!, 4);
    const snapshot = { last, configuration, configurationIndex: 0 };
    return { kind: 'snapshot-chunk', epoch, snapshot, offset: 0, bytes, isLast: true };
  };
  // It takes some turns of the event loop to write it down; meanwhile the disk gets slow.
  let isBegun = false;
  driver.provideSnapshots(() => ({
    position: node.appliedIndex + 1,
    *records() {
      isBegun = true;
      for (let i = 0; i < 3; i++) yield new Uint8Array(64 * 1024);
    },
  }));
  const entries = Array.from({ length: 5 }, (_, i) => ({
    ...{ index: i + 1, epoch, kind: 'command' as const, bytes: Uint8Array.of(i) },
  }));
  tell({
    kind: 'append',
    epoch,
    prev: { index: 0, epoch: leaderEpoch(0) },
    entries,
    commitIndex: 5,
  });
  await cluster.until(() => isBegun);
  node.machine.disk.plan({ operation: 'syncStore', path: /./, delayMs: 500, times: 2 });
  tell(snapshotAt(50));
  await cluster.pass(100);
  tell(snapshotAt(60));
  await cluster.pass(2_000);
  expect(node.fatal).toEqual([]);
  expect(node.appliedIndex).toBe(60);
});

test('a leader whose disk hangs is followed by one whose disk works', async () => {
  const cluster = await DriverCluster.started({ seed: 21 });
  await cluster.appended('a');
  const old = await cluster.settled();
  old.machine.disk.plan({ operation: 'syncStore', path: /./, delayMs: 60_000 });
  const waiting = outcomeOf(cluster.append(old, 'b'));
  await cluster.until(() => cluster.leader !== undefined && cluster.leader !== old);
  expect(await cluster.scheduler.complete(waiting)).toBe('REQUEST_TIMED_OUT');
  await cluster.scheduler.complete(cluster.append(cluster.leader!, 'c'));
  expect(old.driver!.status.persistedIndex).toBeLessThan(cluster.leader!.driver.status.commitIndex);
  await cluster.pass(60_000);
  expect((await cluster.converged()).map((line) => line.split(' ')[1])).toEqual(['a', 'b', 'c']);
});

test('the only voter waits for its disk, however long that hangs', async () => {
  const cluster = await DriverCluster.started({ seed: 22, voters: 1 });
  const { driver, machine } = await cluster.settled();
  await cluster.start(2);
  const joined = driver.changeMembership({ kind: 'add-learner', member: memberOf(2) });
  expect(await cluster.scheduler.complete(joined)).toBeNull();
  const { epoch } = driver.status;
  machine.disk.plan({ operation: 'syncStore', path: /./, delayMs: 60_000 });
  await cluster.appended('a');
  expect(driver.status).toMatchObject({ role: 'leader', epoch });
});
