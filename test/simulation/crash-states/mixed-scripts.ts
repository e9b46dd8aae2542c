import type { SimulatedMachine } from '../env/simulated-env.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';
import { type ExpectedLog, ViolationError } from './expected-logs.ts';
import type { CrashKind, CrashScript } from './explorer.ts';
import { LogSubject } from './log-scripts.ts';
import { LogSession, type SessionSettings } from './log-session.ts';
import { type ExpectedMetadata, MetadataSession } from './metadata-session.ts';

const STEPS = 40;
/** More than a batch of one record has beside its value. */
const BATCH_OVERHEAD_BYTES = 100;
const NAMES = ['a', 'a', 'a', 'b'];

/** Everything that logs can do, in an order drawn from the seed, with crashes and clean stops between. */
export const mixedLogScript = (seed: number): CrashScript<readonly ExpectedLog[]> => ({
  name: `mixed logs ${seed}`,
  async play(machine, watch) {
    const random = new SimulatedRandom(seed).fork('mixed logs');
    const settings = drawSettings(random);
    const session = new LogSession(machine, settings);
    await session.begin();
    watch(new LogSubject(session, settings));
    const mix = new LogMix(session, random);
    for (let step = 0; step < STEPS; step++) await mix.step();
    await mix.restart();
    if (session.complaints.length > 0) throw new ViolationError(session.complaints.join('; '));
  },
});

const drawSettings = (random: SimulatedRandom): SessionSettings => ({
  topic: {
    durability: random.chance(0.75) ? 'durable' : 'replicated',
    segmentBytes: random.pick([600, 2000, 6000]),
    indexIntervalBytes: random.pick([0, 200, 1000]),
    retentionBytes: random.pick([-1, 3000]),
  },
  broker: {
    tailCacheBytes: random.pick([0, 500, 100_000]),
    marksIntervalMs: random.pick([1, 20, 1000]),
    producerSnapshotBytes: random.pick([300, 3000, 100_000]),
    openSegmentsMax: random.pick([1, 3]),
    journalPartitionsMin: random.pick([1, 2, 16]),
    journalBytes: random.pick([500, 5000, 100_000]),
  },
});

class LogMix {
  readonly #session: LogSession;
  readonly #random: SimulatedRandom;

  constructor(session: LogSession, random: SimulatedRandom) {
    this.#session = session;
    this.#random = random;
  }

  async step(): Promise<void> {
    const random = this.#random;
    const session = this.#session;
    const name = random.pick(NAMES);
    const choice = random.below(100);
    if (choice < 45) this.#append(name);
    else if (choice < 60) await session.sleep(random.below(20));
    else if (choice < 66) session.log(name).roll();
    else if (choice < 70) session.beginEpoch(name);
    else if (choice < 92) await this.#change(name);
    else await this.restart();
  }

  /** A clean stop, or a crash in the middle of something; perhaps also of the next start. */
  async restart(): Promise<void> {
    const random = this.#random;
    const session = this.#session;
    let kind = random.pick<CrashKind>(['power', 'power', 'process']);
    if (random.chance(0.3)) await session.close();
    else if (random.chance(0.5)) this.#begin(random.pick(NAMES));
    await session.sleep(random.below(10));
    session.crash(kind);
    while (random.chance(0.3)) {
      session.reopen(kind).catch(() => {});
      await session.sleep(random.below(12));
      const next = random.pick<CrashKind>(['power', 'process']);
      if (next === 'power') kind = next;
      session.crash(next);
    }
    await session.reopen(kind);
  }

  #append(name: string): void {
    const random = this.#random;
    const { segmentBytes } = this.#session.topicConfig;
    const count = random.between(1, 4);
    // All of a batch goes into one segment.
    const mostBytes = segmentBytes / count - BATCH_OVERHEAD_BYTES;
    const valueBytes = Math.min(random.pick([0, 20, 150, 700]), Math.max(0, Math.floor(mostBytes)));
    this.#session.append(name, { count, valueBytes, producer: random.below(4) - 1 });
  }

  /** One change of the files, while others append. */
  async #change(name: string): Promise<void> {
    const { work, isAppendable } = this.#begin(name);
    for (let left = this.#random.below(3); left > 0; left--) {
      if (isAppendable) this.#append(name);
      await this.#session.sleep(this.#random.below(3));
    }
    await work;
  }

  #begin(name: string): { readonly work: Promise<void>; readonly isAppendable: boolean } {
    const random = this.#random;
    const session = this.#session;
    const { logStartOffset, flushedOffset, logEndOffset } = session.log(name);
    const choice = random.pick(['retain', 'delete records', 'truncate', 'delete'] as const);
    if (choice === 'retain') return begun(session.retain(name), true);
    if (choice === 'delete') return begun(session.deleteTopic(name), true);
    if (choice === 'delete records') {
      return begun(
        session.deleteRecords(name, random.between(logStartOffset, flushedOffset)),
        true,
      );
    }
    const target = random.between(Math.max(logStartOffset, logEndOffset - 12), logEndOffset);
    return begun(session.truncate(name, target), false);
  }
}

/** Nobody waits for what a crash interrupts. */
function begun(work: Promise<void>, isAppendable: boolean) {
  work.catch(() => {});
  return { work, isAppendable };
}

/** Appends and snapshots of metadata, with crashes and clean stops between. */
export const mixedMetadataScript = (seed: number): CrashScript<ExpectedMetadata> => ({
  name: `mixed metadata ${seed}`,
  async play(machine, watch) {
    const random = new SimulatedRandom(seed).fork('mixed metadata');
    const session = new MetadataSession(machine, random.pick([1, 3, 8]));
    watch(session);
    await session.begin();
    for (let life = random.between(1, 4); life > 0; life--) {
      for (let left = random.between(1, 8); left > 0; left--) await append(session, random);
      await end(machine, session, random);
      await session.begin();
    }
  },
});

async function append(session: MetadataSession, random: SimulatedRandom): Promise<void> {
  const appends = Array.from({ length: random.between(1, 3) }, () =>
    session.append(random.between(1, 3)),
  );
  await Promise.all(appends);
}

async function end(
  machine: SimulatedMachine,
  session: MetadataSession,
  random: SimulatedRandom,
): Promise<void> {
  if (random.chance(0.3)) {
    await session.close();
  } else {
    for (let left = random.below(3); left > 0; left--) session.append(1).catch(() => {});
    await new Promise<void>((resolve) => {
      machine.env.timers.after(random.below(6), resolve);
    });
  }
  machine.crash(random.pick(['power', 'process']));
  machine.restart();
}
