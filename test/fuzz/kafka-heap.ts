import type { Api } from '../../src/kafka/api.ts';
import { servedApis } from '../../src/kafka/api-table.ts';
import type { Field, Fields } from '../../src/kafka/fields.ts';
import { includes } from '../../src/kafka/versions.ts';
import { codecOf, encoded, type Message } from '../support/kafka-messages.ts';
import { settledHeap } from './heap.ts';

/** How far a measure is off, at most, either way: collections are not exact. */
export const SLACK_BYTES = 150_000;
const ELEMENTS = 20_000;

export interface KafkaHeapMeasure {
  readonly name: string;
  readonly wireBytes: number;
  /** What the request says that it takes, decoded; that is held before it is. */
  readonly claimedBytes: number;
  readonly heapBytes: number;
}

/**
 * Requests that are cheap to send and dear to hold: of the newest version of every API, one for each of its
 * lists, with a great many of its smallest elements.
 */
export async function measureKafkaHeap(): Promise<KafkaHeapMeasure[]> {
  const measures: KafkaHeapMeasure[] = [];
  for (const api of servedApis) {
    const version = api.versions.last;
    for (const path of lists(api.request, version)) {
      measures.push(await measure(api, version, path));
    }
  }
  return measures;
}

const presentIn = (fields: Fields, version: number): [string, Field<unknown>][] =>
  Object.entries(fields).filter(([, { versions }]) => includes(versions, version));

/** Paths to all lists, through the lists around them. */
function lists(fields: Fields, version: number): string[][] {
  return presentIn(fields, version).flatMap(([name, { shape }]) => {
    if (shape.kind === 'values') return [[name]];
    if (shape.kind !== 'structs') return [];
    return [[name], ...lists(shape.fields, version).map((path) => [name, ...path])];
  });
}

/** The smallest message, but for one long list. */
function message(fields: Fields, version: number, path: readonly string[]): Message {
  const members = presentIn(fields, version).map(([name, field]) => {
    const { shape, nullable } = field;
    const isOnPath = path[0] === name;
    if (shape.kind === 'value')
      return [name, includes(nullable, version) ? null : shape.type.empty];
    if (shape.kind === 'struct') return [name, null];
    if (!isOnPath) return [name, []];
    const rest = path.slice(1);
    const make = () =>
      shape.kind === 'structs' ? message(shape.fields, version, rest) : shape.type.empty;
    return [name, Array.from({ length: rest.length > 0 ? 1 : ELEMENTS }, make)];
  });
  return Object.fromEntries(members);
}

async function measure(
  api: Api,
  version: number,
  path: readonly string[],
): Promise<KafkaHeapMeasure> {
  const bytes = encoded(codecOf(api, version, 'request'), message(api.request, version, path));
  const opened = api.open(bytes, version);
  // Code and caches are not what is measured.
  opened.decode();
  const before = await settledHeap();
  const held = opened.decode();
  const heapBytes = (await settledHeap()) - before;
  // Until here it is alive.
  if (held === undefined) throw new Error('nothing came of it');
  const name = `${api.name} ${version} ${path.join('.')}`;
  return { name, wireBytes: bytes.length, claimedBytes: opened.heapBytes, heapBytes };
}
