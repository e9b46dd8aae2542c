import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Api } from '../../src/kafka/api.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import { includes } from '../../src/kafka/versions.ts';
import { encoded, messageCases } from '../support/kafka-messages.ts';

/** Requests without the size of their frame, by the key of their API. */
export type KafkaCorpus = ReadonlyMap<number, readonly Uint8Array[]>;

/** Of each version so many are made of the schema table. */
const MADE = 3;
const FOLDER = new URL('../fixtures/kafka-frames/', import.meta.url);

/**
 * Requests of every API that is served: those that clients of others were recorded sending, and for every
 * version some that are made of the schema table, so that none is missing.
 */
export function kafkaCorpus(): KafkaCorpus {
  const frames = [...recorded(), ...made()];
  return new Map(
    servedApis.map(({ key }) => [key, frames.filter((frame) => keyOf(frame) === key)]),
  );
}

export const keyOf = (frame: Uint8Array): number => (frame[0]! << 8) | frame[1]!;

function recorded(): Uint8Array[] {
  return readdirSync(FOLDER)
    .sort()
    .flatMap((name) => readFileSync(new URL(name, FOLDER), 'utf8').trim().split('\n'))
    .map((line) => new Uint8Array(Buffer.from(line, 'base64')));
}

const made = (): Uint8Array[] =>
  messageCases()
    .filter(({ direction }) => direction === 'request')
    .flatMap(({ api, version, codec, messages }, seed) =>
      fc
        .sample(messages, { seed, numRuns: MADE })
        .map((message) => Buffer.concat([header(api, version, seed), encoded(codec, message)])),
    );

function header({ key, flexible }: Api, version: number, correlationId: number): Buffer {
  const bytes = Buffer.alloc(includes(flexible, version) ? 11 : 10);
  bytes.writeInt16BE(key);
  bytes.writeInt16BE(version, 2);
  bytes.writeInt32BE(correlationId, 4);
  return bytes;
}
