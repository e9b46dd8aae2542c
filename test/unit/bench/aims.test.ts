import { describe, expect, test } from 'vitest';
import { type Aim, aims, judge, judgeNewest, renderFindings } from '../../../bench/aims.ts';
import { row } from './rows.ts';

const aim: Aim = {
  work: 'produce 1 KiB',
  aim: 'the lower of two',
  of: { scenario: 'produce-1k', system: 'varve', mode: 'fsync', metric: 'throughput' },
  isAtLeast: true,
  bounds: [
    { factor: 2, of: row({ system: 'kafka', mode: 'no-fsync' }) },
    { factor: 0.7, of: row({ system: 'limit' }) },
  ],
};
const rows = (own: number, kafka: number, limit: number) => [
  row({ value: own }),
  row({ system: 'kafka', mode: 'no-fsync', value: kafka }),
  row({ system: 'limit', value: limit }),
];

describe('aims', () => {
  test('one is met if the easier of its bounds is reached, to the very figure', () => {
    expect(judge(aim, rows(700, 1_000, 1_000)).isMet).toBe(true);
    expect(judge(aim, rows(700, 350, 9_000)).isMet).toBe(true);
    expect(judge(aim, rows(699, 350, 1_000)).isMet).toBe(false);
  });

  test('the ratios are told with the figures behind them', () => {
    expect(judge(aim, rows(700, 1_000, 1_000)).measured).toBe(
      '0.70× kafka (700 records/s, 1,000 records/s) and 0.70× limit (700 records/s, 1,000 records/s)',
    );
  });

  test('where less is wanted, more is a miss; a bound without a figure is absolute', () => {
    const least: Aim = { ...aim, isAtLeast: false, bounds: [{ factor: 3_000 }] };
    expect(judge(least, rows(3_000, 1, 1))).toMatchObject({
      isMet: true,
      measured: '3,000 records/s',
    });
    expect(judge(least, rows(3_001, 1, 1)).isMet).toBe(false);
  });

  test('a figure that is missing leaves the aim open', () => {
    for (let missing = 0; missing < 3; missing++) {
      const finding = judge(aim, rows(1, 1, 1).toSpliced(missing, 1));
      expect(finding).toMatchObject({ isMet: undefined, measured: 'not measured' });
    }
  });

  test('figures of different runs are not compared; the newest run that has all counts', () => {
    const runs = [rows(1, 1_000, 1_000), rows(900, 1_000, 1_000), [row({ value: 5 })]];
    expect(judgeNewest(aim, runs).isMet).toBe(true);
    expect(judgeNewest(aim, [[row({ value: 5 })]]).isMet).toBeUndefined();
  });

  test('what is set against each other has an aim each, to be no slower', () => {
    const own = { scenario: 'door-fetch-1k', mode: 'default', metric: 'throughput' } as const;
    const pair = aims.find(
      ({ of }) => of.scenario === own.scenario && of.system === 'varve-librdkafka',
    );
    const rowsOf = (value: number) => [
      row({ ...own, system: 'varve-librdkafka', value }),
      row({ ...own, system: 'kafka-librdkafka', value: 1_000 }),
    ];
    expect(judge(pair!, rowsOf(1_000)).isMet).toBe(true);
    expect(judge(pair!, rowsOf(999))).toMatchObject({
      isMet: false,
      measured: '1.0× kafka-librdkafka (999 records/s, 1,000 records/s)',
    });
    expect(aims.filter(({ of }) => of.scenario.startsWith('door-'))).toHaveLength(10);
  });

  test('the table says which are met', () => {
    const findings = [judge(aim, rows(1, 1, 1)), judge(aim, rows(0.1, 1, 1)), judge(aim, [])];
    const verdicts = renderFindings(findings)
      .split('\n')
      .map((line) => line.split(' ').at(-1));
    expect(verdicts).toEqual(['met?', 'yes', 'NO', '–']);
  });
});
