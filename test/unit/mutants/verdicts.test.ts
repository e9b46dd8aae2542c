import { describe, expect, test } from 'vitest';
import type { SuiteOutput } from '../../mutants/suites.ts';
import { verdictOfSimulation, verdictOfVitest } from '../../mutants/verdicts.ts';

const output = (given: Partial<SuiteOutput>): SuiteOutput => ({
  exitCode: 1,
  stdout: '',
  stderr: '',
  report: undefined,
  ...given,
});

describe('what the simulation prints', () => {
  const stdout = `seed 3: 8 power cuts, 1 process crashes, trace 16ed30da-bf10bbe9
seed 4: 2 power cuts, 1 process crashes, trace 981b4f9f-a981f986
  orderIsKept: record 1 is in plain/0 at 2 and at 7
  orderIsKept: record 2 is in plain/0 at 3 and at 8
red; again with: npm run sim -- --seed 4 --lives 8
`;

  test('names the seed and the first checker', () => {
    const problem = 'record 1 is in plain/0 at 2 and at 7';
    const red = { kind: 'red', check: 'orderIsKept', problem, seed: 4 };
    expect(verdictOfSimulation(output({ stdout }))).toEqual(red);
  });

  test('is green if no checker saw anything, also if too little happened', () => {
    expect(verdictOfSimulation(output({ exitCode: 0 }))).toEqual({ kind: 'green' });
    const tooLittle = output({ stdout: 'void: 3 reads for 9 crashes are too few\n' });
    expect(verdictOfSimulation(tooLittle)).toEqual({ kind: 'green' });
  });

  test('is broken if it did not get so far', () => {
    const stderr = 'at place\nSyntaxError: no';
    const broken = { kind: 'broken', problem: 'SyntaxError: no' };
    expect(verdictOfSimulation(output({ stderr }))).toEqual(broken);
  });
});

describe('what vitest reports', () => {
  const report = (success: boolean, failureMessages: string[]): string => {
    const assertionResults = [
      { title: 'one', status: 'passed', failureMessages: [] },
      { title: 'two', status: success ? 'passed' : 'failed', failureMessages },
    ];
    const testResults = [{ name: 'a.test.ts', message: '', assertionResults }];
    return JSON.stringify({ success, numPassedTests: success ? 2 : 1, testResults });
  };

  test('names the test that failed, and the seed', () => {
    const text = report(false, ['Error: seed 12: 3 is not 4\n    at place']);
    const red = { kind: 'red', check: 'two', problem: 'seed 12: 3 is not 4', seed: 12 };
    expect(verdictOfVitest(output({ report: text }))).toEqual(red);
  });

  test('has no seed if the message has none', () => {
    const text = report(false, ['Error: Property failed after 3 tests\n{ seed: 1 }']);
    expect(verdictOfVitest(output({ report: text }))).toMatchObject({ kind: 'red', seed: null });
  });

  test('is green if something passed and nothing failed', () => {
    const text = report(true, []);
    expect(verdictOfVitest(output({ exitCode: 0, report: text }))).toEqual({ kind: 'green' });
  });

  test('is broken if there was nothing to pass', () => {
    const testResults = [{ name: 'a.test.ts', message: 'no module b\nat', assertionResults: [] }];
    const text = JSON.stringify({ success: false, numPassedTests: 0, testResults });
    const broken = { kind: 'broken', problem: 'no module b' };
    expect(verdictOfVitest(output({ report: text }))).toEqual(broken);
    expect(verdictOfVitest(output({ stderr: 'gone' }))).toEqual({
      kind: 'broken',
      problem: 'gone',
    });
  });
});
