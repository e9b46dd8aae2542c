import type { Timers } from '../env/ports.ts';
import { type Output, OutputClosedError } from './output.ts';

/** A line of the input that is stored. */
export interface Acknowledgement {
  readonly line: number;
  readonly partition: number;
  readonly offset: number;
}

export interface ReportEvents {
  /** So many lines, which had so many bytes, are told. */
  onTold(lines: number, bytes: number): void;
  /** The output takes no more, and that is not because its reader has gone. */
  onError(error: unknown): void;
}

/**
 * Writes a JSON line for each acknowledgement, all of a turn at once. Who adds must stop when too
 * many are not told yet: that is how a slow reader slows the command down.
 */
export class AcknowledgementReport {
  readonly #timers: Timers;
  readonly #output: Output;
  readonly #events: ReportEvents;
  #text = '';
  #lines = 0;
  #bytes = 0;
  #isWriting = false;

  constructor(timers: Timers, output: Output, events: ReportEvents) {
    this.#timers = timers;
    this.#output = output;
    this.#events = events;
  }

  /** @param bytes of the line */
  add({ line, partition, offset }: Acknowledgement, bytes: number): void {
    this.#text += `{"line":${line},"partition":${partition},"offset":${offset}}\n`;
    this.#lines++;
    this.#bytes += bytes;
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#timers.nextTurn(() => void this.#write());
  }

  async #write(): Promise<void> {
    while (this.#lines > 0) {
      const text = this.#text;
      const lines = this.#lines;
      const bytes = this.#bytes;
      this.#text = '';
      this.#lines = 0;
      this.#bytes = 0;
      try {
        // More may be added meanwhile.
        await this.#output.write(text);
      } catch (error) {
        // The records matter more than their report: they are still delivered when nobody reads it.
        if (!(error instanceof OutputClosedError)) this.#events.onError(error);
      }
      this.#events.onTold(lines, bytes);
    }
    this.#isWriting = false;
  }
}
