import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { createInterface } from 'node:readline';
import type { CompressionName } from '../../../../src/codec/compression.ts';
import type { PortableRecord } from '../../records.ts';
import { JVM_FLAGS } from './java-programs.ts';

/** A record as Kafka's consumer tells of it. */
export interface ToldRecord extends PortableRecord {
  readonly offset: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
}

export interface ProduceRequest {
  /** Producers are kept by name, with their ids and sequences, also when the server is another one. */
  readonly producer: string;
  readonly topic: string;
  readonly compression: CompressionName;
  readonly idempotent: boolean;
  readonly records: readonly PortableRecord[];
}

/** Longer than the program gives any of its calls. */
const LIMIT_MS = 90_000;

/** Kafka's Java client in a process of its own (`java/Exchange.java`): one request at a time. */
export class JavaClient implements AsyncDisposable {
  /** `host:port` of the server that is asked. */
  server: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #complaints: string[] = [];
  readonly #answers: ((line: string) => void)[] = [];
  #hasEnded = false;

  constructor(classPath: readonly string[], server: string) {
    this.server = server;
    this.#child = spawn('java', [...JVM_FLAGS, '-cp', classPath.join(delimiter), 'Exchange']);
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#complaints.push(line);
      if (this.#complaints.length > 20) this.#complaints.shift();
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#answers.shift()?.(line);
    });
    const end = (): void => {
      this.#hasEnded = true;
      const error = JSON.stringify({ error: 'the program ended' });
      for (const answer of this.#answers.splice(0)) answer(error);
    };
    this.#child.on('close', end);
    this.#child.on('error', end);
  }

  async createTopic(
    topic: string,
    partitions: number,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await this.#ask({ do: 'create-topic', topic, partitions, configs });
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.#ask({ do: 'delete-records', topic, partition, before });
  }

  /** Returns the offsets that the records got, in their order. */
  async produce(request: ProduceRequest): Promise<readonly number[]> {
    const { offsets } = await this.#ask<{ readonly offsets: readonly number[] }>({
      do: 'produce',
      ...request,
    });
    return offsets;
  }

  async consume(topic: string): Promise<readonly ToldRecord[]> {
    const { records } = await this.#ask<{ readonly records: readonly ToldRecord[] }>({
      do: 'consume',
      topic,
    });
    return records;
  }

  /** The first offset with that time or a later one; -1 if there is none. */
  async offsetOfTime(topic: string, partition: number, timestampMs: number): Promise<number> {
    const request = { do: 'offset-of-time', topic, partition, timestampMs };
    return (await this.#ask<{ readonly offset: number }>(request)).offset;
  }

  async #ask<Answer>(request: object): Promise<Answer> {
    if (this.#hasEnded) throw new Error(`the program ended:\n${this.#complaints.join('\n')}`);
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#answers.push(resolve);
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), LIMIT_MS);
    this.#child.stdin.write(`${JSON.stringify({ ...request, server: this.server })}\n`);
    const answer = JSON.parse(await promise) as Answer & { readonly error?: string };
    clearTimeout(limit);
    if (answer.error === undefined) return answer;
    const what = JSON.stringify(request).slice(0, 200);
    throw new Error(`${answer.error} (${what})\n${this.#complaints.join('\n')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}
