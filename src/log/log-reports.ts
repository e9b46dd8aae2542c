import { basename, dirname } from 'node:path';
import type { Counter, Family, Metrics } from '../telemetry/metrics.ts';
import type { LogReporter } from './log-reporter.ts';
import type { Damage } from './segment-survey.ts';

/** Who came upon damage: a reader, the scrubber, or the recovery at start. */
export type FoundBy = 'read' | 'scrub' | 'start';
/** What can be made anew from batches or marks. */
export type DerivedFile = 'index' | 'producers' | 'topic-id';

/** Places of damage that are remembered, so that each is told once. */
const MAX_PLACES = 10_000;

/** What the logs of a directory tell: lines for people, and what was damaged also as metrics. */
export class LogReports implements LogReporter {
  readonly #reporter: LogReporter;
  readonly #corruptBatches: Family<Counter>;
  readonly #rebuiltFiles: Family<Counter>;
  /** In the order in which they were found. */
  readonly #places = new Set<string>();

  constructor(reporter: LogReporter, metrics: Metrics) {
    this.#reporter = reporter;
    this.#corruptBatches = metrics.counter(
      'varve_log_corrupt_batches_total',
      'Places in segments where durable batches were found damaged or missing, by who found them.',
      ['found_by'],
    );
    this.#rebuiltFiles = metrics.counter(
      'varve_log_rebuilt_files_total',
      'Damaged files that were made anew from what is sound, or not needed, by what they hold.',
      ['file'],
    );
  }

  info(fields: object, message: string): void {
    this.#reporter.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.#reporter.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.#reporter.error(fields, message);
  }

  /** Batches of a segment are damaged or missing; however often they are met, it is told once. */
  damaged(path: string, damage: Damage, foundBy: FoundBy): void {
    const { position, end, problem, fromOffset, toOffset } = damage;
    const place = `${path}:${position}`;
    if (this.#places.has(place)) return;
    if (this.#places.size >= MAX_PLACES) {
      for (const oldest of this.#places) {
        this.#places.delete(oldest);
        break;
      }
    }
    this.#places.add(place);
    this.#corruptBatches.labels(foundBy).add(1);
    const partition = basename(dirname(path));
    const where = { partition, file: path, position, bytes: end - position, fromOffset, toOffset };
    this.#reporter.error(
      { ...where, foundBy, problem },
      'a segment is damaged: these offsets cannot be read, the others can',
    );
  }

  /** A log is damaged so that it refuses everything. */
  outOfService(partition: string, problem: string): void {
    this.#corruptBatches.labels('start').add(1);
    this.#reporter.error({ partition, problem }, 'a log is damaged and out of service');
  }

  /** A file that holds nothing that is not known from elsewhere was not as it should be. */
  rebuilt(kind: DerivedFile, path: string, problem: string): void {
    this.#rebuiltFiles.labels(kind).add(1);
    this.#reporter.warn({ file: path, problem }, rebuiltMessages[kind]);
  }
}

const rebuiltMessages: { readonly [kind in DerivedFile]: string } = {
  index: 'indexes were made anew',
  producers: 'a producer snapshot is not used',
  'topic-id': 'a topic id was made anew from the marks',
};
