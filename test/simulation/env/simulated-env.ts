import type { Env } from '../../../src/env/ports.ts';
import { assert } from '../../../src/model/assert.ts';
import type { DiskState } from './disk-state.ts';
import type { Fate } from './fate.ts';
import { Incarnation } from './incarnation.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { SimulatedRandom } from './simulated-random.ts';
import { SimulatedStores } from './simulated-stores.ts';
import { SimulatedTimers } from './simulated-timers.ts';

export interface SimulationSettings {
  readonly seed: number;
  /** Tells machines of one simulation apart: each draws from a stream of its own. */
  readonly name?: string;
  /** The time that several machines share; one of its own if not given. */
  readonly scheduler?: Scheduler;
  /** How many milliseconds pass on its clocks in one of the simulation; 1 if not given. */
  readonly clockRate?: number;
  /** What is on its disk; nothing but the root folder if not given. */
  readonly disk?: DiskState;
}

/** A machine that runs one process at a time on one disk. */
export class SimulatedMachine {
  readonly scheduler: Scheduler;
  readonly clock: SimulatedClock;
  readonly disk: SimulatedDisk;
  readonly #random: SimulatedRandom;
  #lives = 0;
  #incarnation: Incarnation;
  #env: Env;

  constructor(settings: SimulationSettings) {
    const random = new SimulatedRandom(settings.seed);
    this.scheduler = settings.scheduler ?? new Scheduler(random);
    this.#random = random.fork(settings.name ?? 'machine');
    this.clock = new SimulatedClock(this.scheduler, settings.clockRate ?? 1);
    this.disk = new SimulatedDisk(this.clock, this.scheduler, this.#random, settings.disk);
    this.#incarnation = new Incarnation();
    this.#env = this.#begin();
  }

  /** The env of the process that runs, or ran last. */
  get env(): Env {
    return this.#env;
  }

  /** The life of that process; a simulated network delivers through it. */
  get incarnation(): Incarnation {
    return this.#incarnation;
  }

  /**
   * Ends the process. `process`: what it wrote is there, as after kill -9. `power`: what it did not
   * sync may be lost, as `fate` decides. Nothing that the old env began completes any more, and its
   * timers are gone.
   */
  crash(kind: 'process' | 'power', fate?: Fate): void {
    if (kind === 'process') this.disk.processCrash(this.#incarnation);
    else this.disk.powerCut(this.#incarnation, fate);
  }

  /** The process stands still; its disk goes on with what it was given. */
  pause(): void {
    this.#incarnation.pause();
  }

  /** It goes on, and is given all that has come meanwhile: timers, messages, answers of the disk. */
  resume(): void {
    this.#incarnation.resume(this.scheduler);
  }

  /** A new process on the same disk. */
  restart(): Env {
    assert(!this.#incarnation.isAlive, 'a machine runs one process: crash it before a restart');
    this.#incarnation = new Incarnation();
    this.#env = this.#begin();
    return this.#env;
  }

  #begin(): Env {
    const incarnation = this.#incarnation;
    const random = this.#random.fork(`life ${this.#lives++}`);
    return {
      clock: this.clock,
      timers: new SimulatedTimers(this.scheduler, incarnation, random, this.clock.rate),
      random: random.fork('process'),
      files: new SimulatedFiles(this.disk, incarnation),
      stores: new SimulatedStores(this.disk, incarnation, random),
    };
  }
}

/** One machine with an empty disk, alive. Only the root folder is there. */
export function simulatedEnv(settings: SimulationSettings): SimulatedMachine {
  return new SimulatedMachine(settings);
}
