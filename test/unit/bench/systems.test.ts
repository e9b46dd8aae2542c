import { describe, expect, onTestFinished, test } from 'vitest';
import { parseArguments } from '../../../bench/arguments.ts';
import { Workspace } from '../../../bench/run/workspace.ts';
import { scenarios } from '../../../bench/scenarios.ts';
import { systemsFor } from '../../../bench/systems.ts';

function namesFor(...argv: string[]): string[] {
  const workspace = new Workspace();
  onTestFinished(() => workspace.close());
  const given = parseArguments(argv, '2026-11-21');
  return systemsFor(given.scenarios, given.peers, workspace).map(({ name }) => name);
}

describe('the systems of a run', () => {
  test('without peers they are the limit and Varve', () => {
    expect(namesFor()).toEqual(['limit', 'varve']);
  });

  test('none is made ready that no scenario wants', () => {
    expect(namesFor('--scenario', 'startup', '--peers', 'kafka')).toEqual([
      'limit',
      'varve',
      'kafka',
    ]);
    expect(namesFor('--scenario', 'embedded', '--peers', 'kafka,nats')).toEqual(['varve']);
  });

  test('a server brings each client that loads it', () => {
    const names = namesFor('--scenario', 'door', '--peers', 'kafka');
    expect(names).toEqual(['kafka', 'kafka-perf', 'kafka-librdkafka']);
  });

  test('with all peers every system of every scenario is there', () => {
    expect(new Set(namesFor('--full'))).toEqual(
      new Set(scenarios.flatMap(({ systems }) => systems)),
    );
  });
});
