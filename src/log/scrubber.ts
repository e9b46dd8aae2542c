import { type Clock, FileError, type FileSystem, type Timer, type Timers } from '../env/ports.ts';
import type { Counter, Metrics } from '../telemetry/metrics.ts';
import type { LogReports } from './log-reports.ts';
import type { ScrubTarget } from './scrub-target.ts';
import { SegmentSurvey } from './segment-survey.ts';

/** A log that has something to scrub. */
export interface Scrubbable {
  scrubTargets(): readonly ScrubTarget[];
}

export interface ScrubberSettings {
  /** From the beginning of one pass to that of the next. */
  readonly intervalMs: number;
  /** How much is read at most; above 0. */
  readonly bytesPerSecond: number;
}

export interface ScrubberPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: FileSystem;
  readonly metrics: Metrics;
}

/** A start has other things to do first. */
const FIRST_PASS_MS = 60_000;
/** Read at a time, so that it is never in anybody's way for long. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads what is durable over and over, slowly, and tells where it is damaged: rot in what nobody
 * reads would otherwise be found when the last good copy has gone, too. It reports and changes
 * nothing. One read at a time, with a pause after each that keeps the rate.
 */
export class Scrubber {
  readonly #settings: ScrubberSettings;
  readonly #ports: ScrubberPorts;
  readonly #reports: LogReports;
  readonly #logs: () => Iterable<Scrubbable>;
  readonly #scrubbedBytes: Counter;
  readonly #passes: Counter;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;
  #timer: Timer | null = null;
  #wake: () => void = () => {};

  /** @param logs those that are there when it is asked */
  constructor(
    settings: ScrubberSettings,
    ports: ScrubberPorts,
    reports: LogReports,
    logs: () => Iterable<Scrubbable>,
  ) {
    this.#settings = settings;
    this.#ports = ports;
    this.#reports = reports;
    this.#logs = logs;
    const { metrics } = ports;
    this.#scrubbedBytes = metrics
      .counter('varve_log_scrubbed_bytes_total', 'Bytes of segments that the scrubber has checked.')
      .labels();
    this.#passes = metrics
      .counter('varve_log_scrub_passes_total', 'How often the scrubber has been through all logs.')
      .labels();
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#ports;
    const { intervalMs } = this.#settings;
    await this.#pause(Math.min(intervalMs, FIRST_PASS_MS));
    while (!this.#isStopped) {
      const beganMs = clock.monotonicMs();
      const bytes = await this.#pass();
      if (this.#isStopped) return;
      this.#passes.add(1);
      const ms = clock.monotonicMs() - beganMs;
      this.#reports.info({ bytes, ms }, 'scrubbed all logs');
      await this.#pause(Math.max(1, intervalMs - ms));
    }
  }

  /** Returns how many bytes were read. */
  async #pass(): Promise<number> {
    const logs = [...this.#logs()];
    // Each begins somewhere else: a broker that is restarted early gets to all of them in the end.
    const first = logs.length === 0 ? 0 : this.#ports.clock.wallMs() % logs.length;
    let bytes = 0;
    for (const log of [...logs.slice(first), ...logs.slice(0, first)]) {
      for (const target of log.scrubTargets()) {
        if (this.#isStopped) return bytes;
        bytes += await this.#scrub(target);
      }
    }
    return bytes;
  }

  async #scrub(target: ScrubTarget): Promise<number> {
    const { path, isCurrent } = target;
    try {
      const file = await this.#ports.files.open(path, 'read');
      try {
        return await this.#walk(target, new SegmentSurvey(file, target.range, CHUNK_BYTES));
      } finally {
        await file.close();
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (isCurrent()) this.#reports.error({ file: path, err: error }, 'cannot scrub a segment');
      return 0;
    }
  }

  async #walk({ path, range, isCurrent }: ScrubTarget, survey: SegmentSurvey): Promise<number> {
    let position = range.from;
    let told = 0;
    let hasMore = true;
    while (hasMore) {
      hasMore = await survey.fill();
      while (hasMore && survey.next() !== null);
      // Meanwhile other bytes may have come in the place of those.
      if (this.#isStopped || !isCurrent()) break;
      for (; told < survey.damages.length; told++) {
        this.#reports.damaged(path, survey.damages[told]!, 'scrub');
      }
      const bytes = survey.position - position;
      position = survey.position;
      this.#scrubbedBytes.add(bytes);
      if (bytes > 0) await this.#pause((bytes * 1000) / this.#settings.bytesPerSecond);
    }
    return position - range.from;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#isStopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#timer = this.#ports.timers.after(Math.ceil(ms), resolve);
    await promise;
  }
}
