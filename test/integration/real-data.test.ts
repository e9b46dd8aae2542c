import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BrokerProcess, LineOutput, run, TemporaryFolder, varve } from '../support/processes.ts';

const KILLS = 10;
const PARTITIONS = 6;
const SEPARATOR = '\t';

interface Line {
  readonly key: string;
  readonly value: string;
}

const dataset = (name: string): unknown =>
  JSON.parse(readFileSync(`node_modules/vega-datasets/data/${name}`, 'utf8'));

/** The 200,000 flights, each with its row number, keyed by its distance in steps of 50. */
function flights(): Line[] {
  const rows = dataset('flights-200k.json') as { distance: number }[];
  return rows.map((row, number) => ({
    key: String(Math.floor(row.distance / 50)),
    value: JSON.stringify({ row: number, ...row }),
  }));
}

/** The features of a week of earthquakes, keyed by the network that reported them. */
function earthquakes(): Line[] {
  const { features } = dataset('earthquakes.json') as {
    features: { properties: { net: string } }[];
  };
  return features.map((feature) => ({
    key: feature.properties.net,
    value: JSON.stringify(feature),
  }));
}

const text = (lines: readonly Line[]): string =>
  lines.map(({ key, value }) => `${key}${SEPARATOR}${value}\n`).join('');

const parseLines = (lines: string): unknown[] =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

interface Consumed extends Line {
  readonly partition: number;
  readonly offset: number;
}

async function consume(broker: BrokerProcess, topic: string): Promise<Consumed[]> {
  const { code, stdout, stderr } = await run([
    ...['consume', topic, '--brokers', broker.address, '--from', 'earliest', '--until-end'],
    ...['--format', 'json'],
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return parseLines(stdout) as Consumed[];
}

/** What `varve produce --json` prints; lines are counted from 1. */
interface Acknowledged {
  readonly line: number;
  readonly partition: number;
  readonly offset: number;
}

/** Everything came out once, byte for byte, in order per key. */
function expectSame(consumed: readonly Consumed[], produced: readonly Line[]): void {
  const byKey = (lines: readonly Line[]): Map<string, string[]> => {
    const values = new Map<string, string[]>();
    for (const { key, value } of lines) {
      const ofKey = values.get(key);
      if (ofKey === undefined) values.set(key, [value]);
      else ofKey.push(value);
    }
    return values;
  };
  expect(consumed).toHaveLength(produced.length);
  const expected = byKey(produced);
  const actual = byKey(
    [...consumed].sort((a, b) => a.partition - b.partition || a.offset - b.offset),
  );
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, values] of expected) expect(actual.get(key)).toEqual(values);
}

test('200,000 flights go in once and in order while the broker is killed ten times', async () => {
  using folder = new TemporaryFolder();
  await using broker = new BrokerProcess(`${folder.path}/data`);
  await broker.start();
  const created = await run([
    ...['topic', 'create', 'flights', '--partitions', String(PARTITIONS)],
    ...['--brokers', broker.address],
  ]);
  expect(created).toMatchObject({ code: 0, stderr: '' });

  const lines = flights();
  expect(lines).toHaveLength(200_000);
  const producer = varve(
    ...['produce', 'flights', '--brokers', broker.address, '--key-separator', SEPARATOR, '--json'],
  );
  const output = new LineOutput(producer.stdout!);
  const errors = new LineOutput(producer.stderr!);
  const ended = once(producer, 'close') as Promise<[code: number | null]>;
  const part = Math.ceil(lines.length / (KILLS + 1));
  for (let kill = 0; kill < KILLS; kill++) {
    // As much as has to go in before the next kill, so that the producer is never done too early.
    producer.stdin!.write(text(lines.slice(kill * part, (kill + 1) * part)));
    await output.reached((kill + 0.3) * part);
    // In the middle of things: the producer has requests under way.
    await broker.kill();
    await broker.start();
  }
  producer.stdin!.end(text(lines.slice(KILLS * part)));
  const [code] = await ended;
  expect(errors.text).toBe('');
  expect(code).toBe(0);
  const acknowledged = parseLines(output.text) as Acknowledged[];
  expect(acknowledged).toHaveLength(lines.length);

  const consumed = await consume(broker, 'flights');
  expectSame(consumed, lines);
  // And each line is where its acknowledgement said.
  const at = new Map(consumed.map((each) => [`${each.partition}:${each.offset}`, each.value]));
  for (const { line, partition, offset } of acknowledged) {
    if (at.get(`${partition}:${offset}`) !== lines[line - 1]!.value) {
      expect.fail(`line ${line} was acknowledged at ${partition}:${offset}, and is not there`);
    }
  }
});

test('the earthquakes of a week survive a kill after their acknowledgement', async () => {
  using folder = new TemporaryFolder();
  await using broker = new BrokerProcess(`${folder.path}/data`);
  await broker.start();
  await run(['topic', 'create', 'earthquakes', '--partitions', '3', '--brokers', broker.address]);
  const lines = earthquakes();
  const produced = await run(
    ['produce', 'earthquakes', '--brokers', broker.address, '--key-separator', SEPARATOR],
    text(lines),
  );
  expect(produced).toMatchObject({ code: 0 });
  await broker.kill();
  await broker.start();
  expectSame(await consume(broker, 'earthquakes'), lines);
});
