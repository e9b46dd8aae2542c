import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Producer, RecordMetadata } from '../../client/main.ts';
import type { CompressionName } from '../../codec/compression.ts';
import { AcknowledgementReport } from '../acknowledgement-report.ts';
import type { CommandContext } from '../command-context.ts';
import { type ConnectionOptions, withClient } from '../connection.ts';
import { CommandError, ExitCode, exitCodeOf } from '../exit-code.ts';
import { readChunks } from '../input.ts';
import { type KeyedLine, splitKey } from '../keyed-line.ts';
import { LineReader } from '../line-reader.ts';
import { formatBytes, formatCount, formatRate, Progress } from '../progress.ts';

export interface ProduceOptions extends ConnectionOptions {
  readonly file?: string;
  readonly keySeparator?: string;
  readonly compression: CompressionName;
  readonly acks: 'all' | 'leader';
  readonly partition?: number;
  readonly timeout: number;
  readonly json?: boolean;
}

/** The largest message that a broker takes, unless its settings say otherwise. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Lines that are read and not acknowledged; above either the input waits. */
const MAX_OPEN_LINES = 65_536;
const MAX_OPEN_BYTES = 16 * 1024 * 1024;

/**
 * `varve produce`: a record a line. Resolves when all of them are acknowledged. After the first
 * failure, and after a signal, nothing more is read, and what was read is still delivered.
 */
export async function produce(
  topic: string,
  options: ProduceOptions,
  context: CommandContext,
): Promise<void> {
  const input = await openInput(options.file, context);
  try {
    await withClient(context, options, async (client) => {
      const { compression, acks, timeout } = options;
      const producer = client.producer({ compression, acks, deliveryTimeoutMs: timeout });
      try {
        await new ProduceRun(topic, options, context, producer).run(input);
      } finally {
        await producer.close();
      }
    });
  } finally {
    input.destroy();
  }
}

async function openInput(file: string | undefined, context: CommandContext): Promise<Readable> {
  if (file === undefined) return context.input;
  // Not through `env.files`, which reads at positions: a pipe is a file here, too.
  const handle = await open(file, 'r');
  return handle.createReadStream({ highWaterMark: 256 * 1024 });
}

/** One run of the command: lines in, records out, acknowledgements back. */
class ProduceRun {
  readonly #topic: string;
  readonly #options: ProduceOptions;
  readonly #context: CommandContext;
  readonly #producer: Producer;
  readonly #separator: Uint8Array | undefined;
  readonly #reader = new LineReader(MAX_LINE_BYTES);
  /** Fires when nothing more is to be read: after a failure or a signal. */
  readonly #stop = new AbortController();
  readonly #report: AcknowledgementReport | undefined;
  #sentBytes = 0;
  #openLines = 0;
  #openBytes = 0;
  #acknowledged = 0;
  #failedLines = 0;
  #failure: unknown;
  /** Called when lines are no longer open. */
  #onProgress: (() => void) | undefined;

  constructor(topic: string, options: ProduceOptions, context: CommandContext, producer: Producer) {
    this.#topic = topic;
    this.#options = options;
    this.#context = context;
    this.#producer = producer;
    const { keySeparator, json } = options;
    this.#separator = keySeparator === undefined ? undefined : Buffer.from(keySeparator);
    if (json) {
      this.#report = new AcknowledgementReport(context.env.timers, context.output, {
        onTold: (lines, bytes) => this.#settle(lines, bytes),
        onError: (error) => this.#fail(error),
      });
    }
  }

  /** Resolves when every line of the input is acknowledged; fails with what came first. */
  async run(input: Readable): Promise<void> {
    const { signal, env, errors } = this.#context;
    const progress = new Progress(env, errors, (elapsedMs) => this.#describe(elapsedMs));
    const stop = (): void => this.#stop.abort();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      await this.#sendLines(input);
    } catch (error) {
      this.#fail(error);
    } finally {
      signal.removeEventListener('abort', stop);
    }
    await this.#finish();
    progress.stop();
    if (this.#failedLines > 1) throw severalFailed(this.#failure, this.#failedLines);
    if (this.#failure !== undefined) throw this.#failure;
    // All that was read is stored, but the signal came before the end of the input.
    if (this.#stop.signal.aborted) throw signal.reason;
  }

  async #sendLines(input: Readable): Promise<void> {
    for await (const chunk of readChunks(input, this.#stop.signal)) {
      for (const line of this.#reader.lines(chunk)) {
        if (this.#isFull()) await this.#untilRoom();
        if (this.#stop.signal.aborted) return;
        this.#send(line);
      }
    }
    // A line that a signal cut short is not the last line of the input.
    const last = this.#stop.signal.aborted ? undefined : this.#reader.end();
    if (last !== undefined) this.#send(last);
  }

  async #untilRoom(): Promise<void> {
    while (this.#isFull()) await this.#nextProgress();
  }

  #isFull(): boolean {
    return this.#openLines >= MAX_OPEN_LINES || this.#openBytes >= MAX_OPEN_BYTES;
  }

  async #finish(): Promise<void> {
    // The promises of the records say what becomes of them; this only spares the lingering.
    await this.#producer.flush().catch(() => {});
    while (this.#openLines > 0) await this.#nextProgress();
  }

  #nextProgress(): Promise<void> {
    return new Promise((resolve) => {
      this.#onProgress = resolve;
    });
  }

  #send(line: Uint8Array): void {
    const { lineNumber } = this.#reader;
    const bytes = line.length;
    const record = this.#recordOf(line);
    this.#openLines++;
    this.#openBytes += bytes;
    this.#sentBytes += bytes;
    this.#producer.send(record).then(
      (stored) => this.#acknowledge(lineNumber, bytes, stored),
      (error: unknown) => {
        this.#failedLines++;
        this.#fail(failureOfLine(error, lineNumber));
        this.#settle(1, bytes);
      },
    );
  }

  #recordOf(line: Uint8Array): KeyedLine & { topic: string; partition?: number } {
    const { partition, keySeparator } = this.#options;
    const separator = this.#separator;
    const keyed = separator === undefined ? { key: null, value: line } : splitKey(line, separator);
    if (keyed === undefined) {
      const { lineNumber } = this.#reader;
      throw new CommandError(
        ExitCode.failure,
        `line ${lineNumber} has no separator ${JSON.stringify(keySeparator)} between key and value`,
      );
    }
    return { topic: this.#topic, ...keyed, ...(partition === undefined ? {} : { partition }) };
  }

  #acknowledge(line: number, bytes: number, { partition, offset }: RecordMetadata): void {
    this.#acknowledged++;
    // A line stays open until it is told of, too.
    if (this.#report === undefined) this.#settle(1, bytes);
    else this.#report.add({ line, partition, offset }, bytes);
  }

  #settle(lines: number, bytes: number): void {
    this.#openLines -= lines;
    this.#openBytes -= bytes;
    const onProgress = this.#onProgress;
    this.#onProgress = undefined;
    onProgress?.();
  }

  /** Keeps what failed first and stops reading. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#stop.abort();
  }

  #describe(elapsedMs: number): string {
    const count = this.#acknowledged;
    const waiting = this.#openLines === 0 ? '' : `, ${formatCount(this.#openLines)} waiting`;
    return `${formatCount(count)} records, ${formatBytes(this.#sentBytes)}, ${formatRate(count, elapsedMs)}${waiting}`;
  }
}

const failureOfLine = (error: unknown, line: number): CommandError =>
  new CommandError(exitCodeOf(error), `line ${line}: ${(error as Error).message}`, {
    cause: error,
  });

const severalFailed = (first: unknown, lines: number): CommandError =>
  new CommandError(
    exitCodeOf(first),
    `${(first as Error).message} (${formatCount(lines)} lines were not acknowledged)`,
    { cause: first },
  );
