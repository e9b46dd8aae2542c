import { DiskInspection } from '../disk-inspection.ts';
import type { SimulatedMachine } from '../env/simulated-env.ts';
import {
  checkDirectory,
  checkLostBatch,
  type ExpectedLog,
  keyOf,
  ROOT,
  ViolationError,
} from './expected-logs.ts';
import type { CrashKind, CrashScript, Subject } from './explorer.ts';
import { LogSession, openDirectory, type SessionSettings } from './log-session.ts';

type Expected = readonly ExpectedLog[];

/** The logs of a session, as something to crash. */
export class LogSubject implements Subject<Expected> {
  readonly #session: LogSession;
  readonly #settings: SessionSettings;

  constructor(session: LogSession, settings: SessionSettings) {
    this.#session = session;
    this.#settings = settings;
  }

  expected(): Expected {
    return this.#session.expected();
  }

  keyOf(expected: Expected): string {
    return keyOf(expected);
  }

  inspect(machine: SimulatedMachine): Promise<readonly string[]> {
    return new DiskInspection(ROOT, machine.disk.tree, machine.clock).afterCrash();
  }

  async reopen(machine: SimulatedMachine, expected: Expected, kind: CrashKind): Promise<string> {
    const complaints: string[] = [];
    const directory = await openDirectory(machine, { expected, complaints }, this.#settings);
    const found = await checkDirectory(machine, directory, expected, kind);
    for (const log of expected) checkLostBatch(directory, log);
    if (complaints.length > 0) throw new ViolationError(complaints.join('; '));
    return found;
  }
}

/** Marks are written as soon as they change. */
const eager = { marksIntervalMs: 1 };
/** Marks are written only when something must not go on without them. */
const lazy = { marksIntervalMs: 3_600_000 };

/** All use the journal; its parts hold a batch or two. */
const journaling = { ...lazy, journalPartitionsMin: 1, journalBytes: 500 };

/** The same with one part that is never full. */
const oneJournal = { ...journaling, journalBytes: 100_000 };

const script = (
  name: string,
  settings: SessionSettings,
  prepare: (session: LogSession) => Promise<void>,
  act: (session: LogSession) => Promise<void>,
): CrashScript<Expected> => ({
  name,
  async play(machine, watch) {
    const session = new LogSession(machine, settings);
    await session.begin();
    await prepare(session);
    watch(new LogSubject(session, settings));
    await act(session);
    if (session.complaints.length > 0) throw new ViolationError(session.complaints.join('; '));
  },
});

/** Three segments of two batches, all durable, of two producers. */
async function threeSegments(session: LogSession): Promise<void> {
  for (let at = 0; at < 3; at++) {
    if (at > 0) session.log('a').roll();
    session.append('a', { producer: 0 });
    await session.appendDurably('a', { producer: 1, count: 2 });
  }
}

/** One batch in the file, and one in the journal alone. */
async function oneInJournal(session: LogSession): Promise<void> {
  await session.appendDurably('a', { producer: 0 });
  await session.appendDurably('a', { producer: 0 });
}

/** Every protocol that changes files of logs, each as short as it can be. */
export const logScripts: readonly CrashScript<Expected>[] = [
  script(
    'the first append',
    { broker: eager },
    async () => {},
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      await session.sleep(20);
    },
  ),
  script(
    'appends',
    { broker: lazy },
    (session) => session.appendDurably('a', { producer: 0 }),
    async (session) => {
      session.append('a', { producer: 0, valueBytes: 700 });
      await session.appendDurably('a', { producer: 1 });
      session.append('a', { producer: 0 });
      await session.flushed('a');
    },
  ),
  script(
    'appends that are not synced',
    { broker: eager, topic: { durability: 'replicated' } },
    (session) => session.appendDurably('a', { producer: 0 }),
    async (session) => {
      await session.appendDurably('a', { producer: 0, valueBytes: 300 });
      await session.appendDurably('a', { producer: 1 });
      await session.sleep(20);
      await session.appendDurably('a', { producer: 1 });
    },
  ),
  script(
    'a roll',
    { broker: lazy },
    (session) => session.appendDurably('a', { producer: 0 }),
    async (session) => {
      session.append('a', { producer: 1 });
      session.log('a').roll();
      await session.appendDurably('a', { producer: 0 });
    },
  ),
  script(
    'a roll of what is not synced',
    { broker: eager, topic: { durability: 'replicated' } },
    (session) => session.appendDurably('a', { producer: 0 }),
    async (session) => {
      session.append('a', { producer: 1 });
      session.log('a').roll();
      await session.appendDurably('a', { producer: 0 });
      await session.sleep(20);
    },
  ),
  script(
    'marks and checkpoints',
    { broker: { ...eager, producerSnapshotBytes: 1 }, topic: { indexIntervalBytes: 0 } },
    (session) => session.appendDurably('a', { producer: 0 }),
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      session.beginEpoch('a');
      await session.appendDurably('a', { producer: 1 });
      await session.sleep(20);
    },
  ),
  script('retention', { broker: lazy, topic: { retentionBytes: 150 } }, threeSegments, (session) =>
    session.retain('a'),
  ),
  script('deleting records', { broker: lazy }, threeSegments, async (session) => {
    await session.deleteRecords('a', 4);
    await session.deleteRecords('a', 9);
  }),
  script(
    'removing a segment long after its records',
    { broker: lazy },
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      await session.deleteRecords('a', 1);
    },
    async (session) => {
      session.log('a').roll();
      await session.appendDurably('a', { producer: 0 });
      await session.retain('a');
    },
  ),
  script('a cut of the end', { broker: lazy }, threeSegments, async (session) => {
    await session.truncate('a', 4);
    session.beginEpoch('a');
    // Beyond what was cut, and marked so: what was saved of that is not to be believed.
    await session.appendDurably('a', { producer: 2, count: 4 });
    await session.deleteRecords('a', 1);
  }),
  script(
    'deleting a topic',
    { broker: lazy },
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      await session.appendDurably('b', { producer: 0 });
    },
    async (session) => {
      await session.deleteTopic('a');
      await session.appendDurably('a', { producer: 0 });
      await session.sleep(20);
    },
  ),
  script(
    'appends by the journal',
    { broker: oneJournal },
    (session) => session.appendDurably('a', { producer: 0 }),
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      await session.appendDurably('a', { producer: 1 });
    },
  ),
  script(
    'parts of the journal',
    { broker: journaling },
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      await session.appendDurably('b', { producer: 0 });
    },
    async (session) => {
      await session.appendDurably('a', { producer: 0, valueBytes: 300 });
      await session.appendDurably('b', { producer: 0 });
      await session.appendDurably('a', { producer: 0 });
    },
  ),
  script(
    'a roll of what is only in the journal',
    { broker: journaling },
    oneInJournal,
    async (session) => {
      session.log('a').roll();
      await session.appendDurably('a', { producer: 0 });
      await session.appendDurably('a', { producer: 0 });
    },
  ),
  script(
    'a cut of what is only in the journal',
    { broker: oneJournal },
    async (session) => {
      await session.appendDurably('a', { producer: 0 });
      await session.appendDurably('a', { producer: 0, count: 2 });
      await session.appendDurably('a', { producer: 0 });
    },
    async (session) => {
      await session.truncate('a', 1);
      session.beginEpoch('a');
      await session.appendDurably('a', { producer: 1, valueBytes: 10 });
    },
  ),
  script(
    'deleting records of which some are only in the journal',
    { broker: oneJournal },
    oneInJournal,
    async (session) => {
      await session.deleteRecords('a', 2);
      session.log('a').roll();
      await session.appendDurably('a', { producer: 0 });
      await session.retain('a');
    },
  ),
  script(
    'deleting a topic that is in the journal',
    { broker: oneJournal },
    oneInJournal,
    async (session) => {
      await session.deleteTopic('a');
      await session.appendDurably('a', { producer: 0, valueBytes: 3 });
      await session.appendDurably('a', { producer: 0 });
    },
  ),
  script('a clean stop with a journal', { broker: oneJournal }, oneInJournal, (session) =>
    session.close(),
  ),
  script('a clean stop', { broker: lazy }, threeSegments, (session) => session.close()),
];
