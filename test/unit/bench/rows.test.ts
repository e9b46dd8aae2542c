import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendRows, type Outcome, readRows, toRows } from '../../../bench/rows.ts';
import { throughput } from '../../../bench/system.ts';

const run = { commit: 'abc', machine: 'a machine', time: '2026-11-21T00:00:00.000Z' };
const outcome: Outcome = {
  scenario: 'produce-100b',
  system: 'varve',
  mode: 'fsync',
  measurement: throughput(1_234_567, 100, 3),
  load: [0.1, 1.9],
};

describe('rows of results', () => {
  test('a row has exactly the documented keys, in their order', () => {
    const keys = 'scenario,system,mode,metric,value,unit,commit,machine,time,load';
    for (const row of toRows(outcome, run)) expect(Object.keys(row).join()).toBe(keys);
  });

  test('there is one for each metric and one each for the records and seconds behind them', () => {
    const values = toRows(outcome, run).map(({ metric, value, unit }) => [metric, value, unit]);
    expect(values).toEqual([
      ['throughput', 411_522, 'records/s'],
      ['bandwidth', 41.1522, 'MB/s'],
      ['records', 1_234_570, 'records'],
      ['seconds', 3, 's'],
    ]);
  });

  test('they are appended as lines, in a folder that is made if it is not there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'varve-rows-'));
    try {
      const file = join(folder, 'results', 'a.jsonl');
      appendRows(file, toRows(outcome, run));
      appendRows(file, toRows(outcome, run));
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(lines).toHaveLength(8);
      expect(readRows(join(folder, 'results')).slice(4)).toEqual(toRows(outcome, run));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
