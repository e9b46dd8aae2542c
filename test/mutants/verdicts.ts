import type { SuiteOutput } from './suites.ts';

/** What a suite says of the program. */
export type Verdict =
  | { readonly kind: 'green' }
  | {
      readonly kind: 'red';
      /** The check that went red, and what it saw. */
      readonly check: string;
      readonly problem: string;
      /** `null` if the suite does not go from seed to seed. */
      readonly seed: number | null;
    }
  /** It did not come to judge anything: that catches nothing. */
  | { readonly kind: 'broken'; readonly problem: string };

/** `npm run sim`: under the line of the red seed stand the checkers, then how to see it again. */
export function verdictOfSimulation({ exitCode, stdout, stderr }: SuiteOutput): Verdict {
  const seed = /^red; again with: .* --seed (\d+)/m.exec(stdout)?.[1];
  const found = /^ {2}([a-zA-Z][^:\n]*): (.*)$/m.exec(stdout);
  if (seed !== undefined && found !== null) {
    return { kind: 'red', check: found[1]!, problem: found[2]!, seed: Number(seed) };
  }
  // Void: the seeds came to the end, and with this bug too little happened in them to count.
  if (exitCode === 0 || /^void: /m.test(stdout)) return { kind: 'green' };
  return { kind: 'broken', problem: lastLine(stderr) };
}

interface VitestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Vitest's JSON: the first test that failed, and the seed if its message names one. */
export function verdictOfVitest({ report: text, stderr }: SuiteOutput): Verdict {
  if (text === undefined) return { kind: 'broken', problem: lastLine(stderr) };
  const report = JSON.parse(text) as VitestReport;
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === 'failed');
  if (failed !== undefined) {
    const message = failed.failureMessages.join('\n');
    const seed = /\bseed (\d+)\b/.exec(message)?.[1];
    return {
      kind: 'red',
      check: failed.title,
      problem: message.split('\n')[0]!.replace(/^(?:Assertion)?Error: /, ''),
      seed: seed === undefined ? null : Number(seed),
    };
  }
  if (report.success && report.numPassedTests > 0) return { kind: 'green' };
  const problem = report.testResults.map(({ message }) => message).find((line) => line !== '');
  return { kind: 'broken', problem: problem?.split('\n')[0] ?? lastLine(stderr) };
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
