import { createHash } from 'node:crypto';
import type { FolderNode } from '../../../src/env/file-tree.ts';
import type { DiskState } from '../env/disk-state.ts';
import { EveryFate, nothingArrives, RandomFate } from '../env/fate.ts';
import { SimulatedMachine, simulatedEnv } from '../env/simulated-env.ts';
import { SimulatedRandom } from '../env/simulated-random.ts';

export type CrashKind = 'process' | 'power';

/** Something that keeps things on a disk, and what has to be there after a crash of it. */
export interface Subject<Expected> {
  /** What a crash must leave if it comes now. Values of one run that say the same have the same key. */
  expected(): Expected;
  keyOf(expected: Expected): string;
  /**
   * Opens what a crash has left, and holds it against what must be there. Gives what was found, as
   * text: equal if the same was found.
   *
   * @throws Error if anything is lost, invented, or does not open
   */
  reopen(machine: SimulatedMachine, expected: Expected, kind: CrashKind): Promise<string>;
  /** Looks at a disk from outside before anything is opened; says what is wrong. */
  inspect(machine: SimulatedMachine): Promise<readonly string[]>;
}

/** What a process does, and when it is watched. */
export interface CrashScript<Expected> {
  readonly name: string;
  /** Makes the subject, and what it does: nothing is watched before `watch` is called. */
  play(machine: SimulatedMachine, watch: (subject: Subject<Expected>) => void): Promise<void>;
}

export interface Totals {
  /** Moments at which a crash came, in scripts and in recoveries. */
  moments: number;
  /** Of those, moments whose states are not all tried, as they are too many. */
  sampledMoments: number;
  /** Different states that were opened. */
  states: number;
  /** The most changes that were pending at a moment all of whose states were tried. */
  mostPending: number;
}

export const noTotals = (): Totals => ({
  moments: 0,
  sampledMoments: 0,
  states: 0,
  mostPending: 0,
});

export interface ExploreSettings {
  readonly seed: number;
  /**
   * A moment with more ways for a power cut is sampled: the first for the crash of a script, the next
   * for a crash during the recovery from that, and so on, as many as there are.
   */
  readonly mostWays: readonly number[];
  /** Of how many moments of a script one is tried, drawn from the seed; all if not given. */
  readonly oneMomentIn?: number;
  /** States of a moment that is sampled. */
  readonly samples?: number;
}

/** A state that a crash has left, and what is wrong with it. */
export class CrashStateError extends Error {
  override readonly name = 'CrashStateError';
}

interface Moment<Expected> {
  readonly disk: DiskState;
  readonly expected: Expected;
}

/** What has gone before: crashes, the worst of them, and how many. */
interface Before {
  readonly kind: CrashKind;
  readonly depth: number;
}

/** States of a moment that is sampled, if not said otherwise. */
const SAMPLES = 60;

/**
 * Plays scripts and lets a crash come before every change of the disk: opens every state that the
 * crash may leave, and lets a second crash come at every step of that. Each different state is tried
 * once.
 */
export class Explorer {
  readonly totals: Totals = noTotals();
  readonly #settings: ExploreSettings;
  /** States that were tried, each with what was expected of it. */
  readonly #tried = new Set<string>();
  readonly #random: SimulatedRandom;

  constructor(settings: ExploreSettings) {
    this.#settings = settings;
    this.#random = new SimulatedRandom(settings.seed).fork('explorer');
  }

  /** @throws CrashStateError for the first state that is not as it must be */
  async explore<Expected>(script: CrashScript<Expected>): Promise<void> {
    const { seed, oneMomentIn = 1 } = this.#settings;
    this.#tried.clear();
    const machine = simulatedEnv({ seed });
    const moments: Moment<Expected>[] = [];
    let subject: Subject<Expected> | undefined;
    const take = (): void => {
      if (subject === undefined || this.#random.below(oneMomentIn) > 0) return;
      moments.push({ disk: machine.disk.state.clone(), expected: subject.expected() });
    };
    machine.disk.onChange = take;
    const playing = script.play(machine, (watched) => {
      subject = watched;
    });
    await machine.scheduler.complete(playing);
    take();
    if (subject === undefined) throw new Error(`${script.name} is never watched`);
    try {
      await this.#tryMoments(subject, moments, { kind: 'process', depth: 0 });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new CrashStateError(`${script.name}, seed ${seed}: ${problem}`, { cause: error });
    }
  }

  async #tryMoments<Expected>(
    subject: Subject<Expected>,
    moments: readonly Moment<Expected>[],
    before: Before,
  ): Promise<void> {
    const { depth } = before;
    for (const { disk, expected } of moments) {
      this.totals.moments++;
      const key = subject.keyOf(expected);
      for (const [kind, left] of this.#statesOf(disk, this.#settings.mostWays[depth]!)) {
        // What a power cut has taken does not come back when only the process dies after it.
        const worst = before.kind === 'power' ? 'power' : kind;
        const id = `${worst} ${key} ${digestOf(left)}`;
        if (this.#tried.has(id)) continue;
        this.#tried.add(id);
        await this.#tryState(subject, { disk: left, expected }, { kind: worst, depth });
      }
    }
  }

  /** Every state that a crash of either kind may leave. */
  *#statesOf(disk: DiskState, mostWays: number): Generator<[CrashKind, DiskState]> {
    yield ['process', disk.clone()];
    const fate = new EveryFate();
    while (fate.ways < mostWays && fate.next()) yield ['power', cutBy(disk, fate)];
    if (mostWays > 0 && !fate.next()) {
      this.totals.mostPending = Math.max(this.totals.mostPending, disk.pendingCount);
      return;
    }
    this.totals.sampledMoments++;
    for (let i = this.#settings.samples ?? SAMPLES; i > 0; i--) {
      yield ['power', cutBy(disk, new RandomFate(this.#random))];
    }
  }

  async #tryState<Expected>(
    subject: Subject<Expected>,
    { disk, expected }: Moment<Expected>,
    { kind, depth }: Before,
  ): Promise<void> {
    this.totals.states++;
    const machine = new SimulatedMachine({ seed: this.totals.states, disk });
    machine.disk.isInstant = true;
    const findings = await subject.inspect(machine);
    if (findings.length > 0) throw new Error(findings.join('; '));
    const second: Moment<Expected>[] = [];
    const goesOn = depth + 1 < this.#settings.mostWays.length;
    if (goesOn) {
      machine.disk.onChange = () => second.push({ disk: machine.disk.state.clone(), expected });
    }
    const first = await machine.scheduler.complete(subject.reopen(machine, expected, kind));
    machine.disk.onChange = undefined;
    // What was found is served, so it must be there even if nothing that was not synced is.
    machine.crash('power', nothingArrives);
    machine.restart();
    const again = await machine.scheduler.complete(subject.reopen(machine, expected, kind));
    if (again !== first) throw new Error(`opened as ${first}, and once more as ${again}`);
    if (goesOn) await this.#tryMoments(subject, second, { kind, depth: depth + 1 });
  }
}

function cutBy(disk: DiskState, fate: Parameters<DiskState['cut']>[0]): DiskState {
  const left = disk.clone();
  left.cut(fate);
  return left;
}

/** Equal for disks with the same content. */
function digestOf(disk: DiskState): string {
  const hash = createHash('sha1');
  const add = (folder: FolderNode): void => {
    for (const name of [...folder.entries.keys()].sort()) {
      const node = folder.entries.get(name)!;
      hash.update(`${name}/`);
      if (node.kind === 'directory') {
        add(node);
      } else {
        hash.update(`${node.content.size}:`);
        hash.update(node.content.read(0, node.content.size));
      }
    }
    for (const [key, value] of disk.storeIn(folder)?.entries.range(EVERYTHING) ?? []) {
      hash.update(key);
      hash.update(value);
    }
    hash.update('..');
  };
  add(disk.tree.root);
  return hash.digest('base64');
}

const EVERYTHING = { from: new Uint8Array(0), to: Uint8Array.of(0xff, 0xff) };
