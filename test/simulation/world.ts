import { adminMethods } from '../../src/rpc/admin-service.ts';
import { Server } from '../../src/server/server.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';
import { noMetrics } from '../../src/telemetry/no-metrics.ts';
import type { Scene } from './actors/scene.ts';
import { drawBrokerSettings } from './broker-settings.ts';
import { DiskInspection } from './disk-inspection.ts';
import { Incarnation } from './env/incarnation.ts';
import { Scheduler } from './env/scheduler.ts';
import { SimulatedMachine } from './env/simulated-env.ts';
import { SimulatedRandom } from './env/simulated-random.ts';
import { History, type Life } from './history.ts';
import { inject, type LifeFault } from './life-fault.ts';
import { drawLifePlan, type LifePlan } from './life-plan.ts';
import { type NetworkEnd, SimulatedNetwork } from './simulated-network.ts';
import { SyncWatch } from './sync-watch.ts';

export interface WorldSettings {
  readonly seed: number;
  /** A sync site at which crashes are aimed more often than at others. */
  readonly aim?: string;
  /** A sync site whose syncs do nothing. */
  readonly drop?: string;
}

/** The folder above does not exist at first, either. */
const DATA_DIR = '/var/varve';
/** How long a life may wait for acknowledgements before its end is due anyhow. */
const ACKNOWLEDGEMENT_PATIENCE_MS = 5000;

/** How long the broker lives on at least after the disk has begun to fail. */
const FAULT_MS = 100;

/** How long everybody may take to come to an end when nothing crashes any more. */
const HEALING_PATIENCE_MS = 300_000;

/** The broker or the disk shows that something is broken; there is no use in going on. */
export class BrokenError extends Error {
  override readonly name = 'BrokenError';
}

/** One machine with a broker, which lives and dies as the seed says, and the wires to it. */
export class World {
  readonly history: History = new History();
  readonly scheduler: Scheduler;
  readonly syncs: SyncWatch;
  readonly scene: Scene;
  readonly #random: SimulatedRandom;
  readonly #aim: string | undefined;
  readonly #machine: SimulatedMachine;
  readonly #network: SimulatedNetwork;
  readonly #settings: Map<string, string>;
  readonly #ioThreads: number;
  readonly #disk: DiskInspection;
  readonly #powerCutListeners = new Set<() => void>();
  /** Only process crashes, for what has to outlive those alone. */
  readonly #withPowerCuts: boolean;
  /** How often all connections break while the broker lives, at most. */
  readonly #breakEveryMs: number;
  /** What the process has of the network. */
  #end: NetworkEnd | undefined;
  #diedAs: 'power' | 'process' | undefined;
  /** Something is wrong with the disk in this life, and the broker may say so and end. */
  #isFaulty = false;
  /** The broker has said that it ends. */
  #isEnding = false;
  #isOver = false;
  #wasCleanStop = false;
  #vouchedIndex = -1;

  constructor({ seed, aim, drop }: WorldSettings) {
    const random = new SimulatedRandom(seed);
    this.#random = random.fork('world');
    this.#aim = aim;
    this.scheduler = new Scheduler(random);
    const { scheduler } = this;
    this.#machine = new SimulatedMachine({ seed, name: 'broker', scheduler });
    this.syncs = new SyncWatch(this.#machine.disk, DATA_DIR, drop);
    this.#network = new SimulatedNetwork(scheduler, random, (error) => this.#complain(error));
    this.#settings = drawBrokerSettings(this.#random);
    this.#ioThreads = this.#random.pick([3, 4, 8]);
    this.#withPowerCuts = this.#random.chance(0.85);
    this.#breakEveryMs = this.#random.pick([Number.POSITIVE_INFINITY, 60, 400]);
    const { tree, clock } = this.#machine.disk;
    this.#disk = new DiskInspection(DATA_DIR, tree, clock);
    this.scene = {
      history: this.history,
      env: new SimulatedMachine({ seed, name: 'clients', scheduler }).env,
      transport: this.#network.endOf(new Incarnation()),
      random: random.fork('scene'),
      isOver: () => this.#isOver,
      onPowerCut: (listener) => {
        this.#powerCutListeners.add(listener);
        return () => this.#powerCutListeners.delete(listener);
      },
      changed: async () => {
        this.history.changes++;
        this.#vouchedIndex = await this.#disk.vouchedIndex();
      },
    };
  }

  get withPowerCuts(): boolean {
    return this.#withPowerCuts;
  }

  /** Lets the broker live and die so many times. */
  async crashes(count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      const plan = drawLifePlan(this.#random, {
        sites: this.syncs.sites,
        aim: this.#aim,
        withPowerCuts: this.#withPowerCuts,
        followsProcessCrash: this.#diedAs === 'process',
      });
      await this.#live(plan);
      await this.#sleep(plan.pauseMs);
      if (plan.cutsWhileDown) this.#crash('power');
      await this.#examine();
      this.#throwIfBroken();
      this.#machine.restart();
    }
  }

  /** One life without a crash, until `use` is done with it; it ends in order, and then the power fails. */
  async heal(use: () => Promise<void>): Promise<void> {
    const life = this.#beginLife();
    const server = await this.#start(life);
    if (server === undefined) throw new Error('nobody ends this life');
    await this.#healed(use());
    await this.#healed(server.close());
    this.#exit(life);
    if (this.#withPowerCuts) this.#crash('power');
    this.#machine.restart();
  }

  /** The load is over. */
  endLoad(): void {
    this.#isOver = true;
  }

  /** Looks at the disk after the last clean stop. */
  async inspect(
    folders: ReadonlySet<string>,
    leastBytes: ReadonlyMap<string, number>,
  ): Promise<void> {
    const found = await this.#disk.afterCleanStop({ folders, leastBytes });
    this.history.findings.push(...found);
  }

  async #live(plan: LifePlan): Promise<void> {
    const life = this.#beginLife();
    const { incarnation } = this.#machine;
    const arm = (): void => this.#arm(plan, life);
    if (plan.from === 'start') arm();
    const server = await this.#start(life);
    if (server === undefined) {
      await this.scheduler.run(() => !incarnation.isAlive);
      this.syncs.disarm();
      return;
    }
    if (Number.isFinite(this.#breakEveryMs)) this.#breakLater(this.#end!, incarnation);
    if (typeof plan.from === 'object') {
      await this.#acknowledged(plan.from.acknowledgements);
      if (plan.end !== 'clean stop') arm();
    }
    if (plan.from === 'stop') arm();
    if (plan.from === 'stop' || plan.end === 'clean stop') {
      let isStopped = false;
      void server.close().then(
        () => {
          isStopped = true;
        },
        (error: unknown) => this.#giveUp(error),
      );
      await this.scheduler.run(() => isStopped || !incarnation.isAlive);
      if (isStopped && incarnation.isAlive) this.#exit(life);
    }
    await this.scheduler.run(() => !incarnation.isAlive);
    this.syncs.disarm();
  }

  /** Breaks the connections again and again as long as the process lives. */
  #breakLater(end: NetworkEnd, incarnation: Incarnation): void {
    this.scheduler.after(this.#random.between(1, this.#breakEveryMs), () => {
      if (!incarnation.isAlive) return;
      end.breakConnections();
      this.#breakLater(end, incarnation);
    });
  }

  /** Waits for work that nothing disturbs any more. */
  async #healed(work: Promise<void>): Promise<void> {
    const { scheduler } = this;
    const deadlineMs = scheduler.nowMs + HEALING_PATIENCE_MS;
    let isDone = false;
    const done = work.then(() => {
      isDone = true;
    });
    // Awaited below, or given up.
    done.catch(() => {
      isDone = true;
    });
    await scheduler.run(() => isDone || this.#isBroken || scheduler.nowMs > deadlineMs);
    this.#throwIfBroken();
    if (!isDone)
      throw new Error(`the wait is not over after ${HEALING_PATIENCE_MS} ms without a crash`);
    await done;
  }

  get #isBroken(): boolean {
    return this.history.complaints.length + this.history.findings.length > 0;
  }

  #throwIfBroken(): void {
    if (this.#isBroken) throw new BrokenError();
  }

  #beginLife(): Life {
    const life = {
      number: this.history.lives.length,
      followsCleanStop: this.#wasCleanStop,
      recoveredLogs: 0,
      end: '',
    };
    this.history.lives.push(life);
    // Not when the power was cut: what is heard between was answered before.
    if (this.#diedAs === 'power' && !this.#wasCleanStop) this.history.era++;
    this.#wasCleanStop = false;
    return life;
  }

  /** Starts the broker; `undefined` if it is dead before it serves. */
  async #start(life: Life): Promise<Server | undefined> {
    const { env, incarnation } = this.#machine;
    const end = this.#network.endOf(incarnation, (path, message) => this.#tap(path, message));
    this.#end = end;
    let server: Server | undefined;
    let refusal: unknown;
    Server.start(
      { dataDir: DATA_DIR, settings: this.#settings, ioThreads: this.#ioThreads },
      {
        env,
        transport: end,
        logger: this.#logger(life),
        metrics: noMetrics,
        onFatal: (error) => this.#giveUp(error),
      },
    ).then(
      (started) => {
        server = started;
      },
      (error: unknown) => {
        refusal = error;
      },
    );
    await this.scheduler.run(
      () => server !== undefined || refusal !== undefined || !incarnation.isAlive,
    );
    if (refusal !== undefined) this.#giveUp(refusal);
    this.#throwIfBroken();
    return incarnation.isAlive ? server : undefined;
  }

  /** Waits for so many acknowledgements in this life, but not for ever. */
  async #acknowledged(count: number): Promise<void> {
    const { history, scheduler } = this;
    const { incarnation } = this.#machine;
    const enough = history.acknowledged + count;
    const deadlineMs = scheduler.nowMs + ACKNOWLEDGEMENT_PATIENCE_MS;
    await scheduler.run(
      () => history.acknowledged >= enough || scheduler.nowMs >= deadlineMs || !incarnation.isAlive,
    );
  }

  /** From now on the end of the life is due: after the sync that it waits for, or without it. */
  #arm(plan: LifePlan, life: Life): void {
    const { incarnation } = this.#machine;
    const end = (): void => {
      if (!incarnation.isAlive) return;
      life.end = `${plan.end} at ${this.scheduler.nowMs} ms`;
      this.#crash(plan.end === 'power cut' ? 'power' : 'process');
    };
    const { fault } = plan;
    if (fault === undefined) {
      this.syncs.arm(plan.trigger, () => this.scheduler.after(plan.delayMs, end));
      this.scheduler.after(plan.patienceMs, end);
      return;
    }
    this.syncs.arm(plan.trigger, () => this.#strike(fault, incarnation));
    this.scheduler.after(plan.patienceMs, () => this.#strike(fault, incarnation));
    this.scheduler.after(plan.patienceMs + FAULT_MS + plan.pauseMs, end);
  }

  /** The disk fails, once in a life. */
  #strike(fault: LifeFault, incarnation: Incarnation): void {
    if (this.#isFaulty || !incarnation.isAlive) return;
    this.#isFaulty = true;
    this.history.faults++;
    inject(this.#machine.disk, fault);
  }

  /** The broker ends because of an error; with a sound disk it never may. */
  #giveUp(error: unknown): void {
    const { incarnation } = this.#machine;
    if (!this.#isFaulty || !isNamed(error)) {
      this.#complain(error);
      return;
    }
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.history.faultyEnds++;
    // What is under way goes on for a moment, and answers leave.
    this.scheduler.after(this.#random.below(3000) / 1000, () => {
      if (incarnation.isAlive) this.#crash('process');
    });
  }

  #crash(kind: 'power' | 'process'): void {
    this.#diedAs = kind;
    this.#machine.crash(kind);
    this.#repair();
    this.#end?.cut();
    if (kind === 'process') {
      this.history.processCrashes++;
      return;
    }
    this.history.powerCuts++;
    if (this.#wasCleanStop) return;
    for (const listener of this.#powerCutListeners) listener();
  }

  /** The next process finds a disk that works; what was lost on it is lost. */
  #repair(): void {
    this.#isFaulty = false;
    this.#isEnding = false;
    this.#machine.disk.clearFaults();
  }

  /** The process ends after a stop in order; a clean one, unless the disk has failed. */
  #exit(life: Life): void {
    if (this.#isFaulty) {
      life.end = 'stop with a disk that failed';
      this.#crash('process');
      return;
    }
    this.#machine.crash('process');
    this.#end?.cut();
    this.#wasCleanStop = true;
    this.#diedAs = undefined;
    this.history.cleanStops++;
    life.end = 'clean stop';
  }

  async #examine(): Promise<void> {
    const findings = await this.#disk.afterCrash();
    const index = this.#vouchedIndex < 0 ? this.#vouchedIndex : await this.#disk.vouchedIndex();
    if (index < this.#vouchedIndex) {
      findings.push(
        `hard-state vouches for entry ${index} only, ${this.#vouchedIndex} is acknowledged`,
      );
    }
    const life = this.history.lives.length - 1;
    for (const finding of findings) this.history.findings.push(`after life ${life}: ${finding}`);
  }

  async #sleep(ms: number): Promise<void> {
    await this.scheduler.run(this.scheduler.nowMs + ms);
  }

  #tap(path: string, message: Uint8Array): void {
    const { path: allocate, response } = adminMethods.allocateProducerId;
    if (path === allocate) this.history.producerIds.push(response.decode(message).producerId);
  }

  #logger(life: Life): Logger {
    const complain = (fields: LogFields, message: string): void => {
      if (this.#isFaulty) return;
      const { err, ...rest } = fields;
      const cause = err instanceof Error ? `: ${err.message}` : '';
      this.history.complaints.push(`${message} ${JSON.stringify(rest)}${cause}`);
    };
    const logger: Logger = {
      debug() {},
      info: (_, message) => {
        if (message === 'recovering a log') life.recoveredLogs++;
      },
      warn: (fields, message) => {
        if (message.includes('unknown topic')) complain(fields, message);
      },
      error: complain,
      child: () => logger,
    };
    return logger;
  }

  #complain(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.history.complaints.push(text);
  }
}

/** It says what failed: an error of the disk by its code, and the file. */
const isNamed = (error: unknown): boolean =>
  error instanceof Error &&
  (/\/var\/varve.*\bE[A-Z]+\b|LEVEL_IO_ERROR|out of service|disk of .* failed/.test(
    error.message,
  ) ||
    isNamed(error.cause));
