import { parseArgs } from 'node:util';
import { UsageError } from '../arguments.ts';
import type { NodeRole } from '../run/workspace.ts';
import type { Mode, Scenario } from '../scenario.ts';
import { scenarios } from '../scenarios.ts';

export interface ProfileArguments {
  readonly scenario: Scenario;
  readonly mode: Mode;
  readonly of: NodeRole;
  readonly seconds: number;
  /** Rows of each table. */
  readonly top: number;
  /** Where the files go; a new folder of the system's temporary one if left out. */
  readonly out: string | undefined;
}

export const profileUsage = `usage: npm run profile -- SCENARIO [--of broker|client] [--mode fsync|no-fsync]
                          [--seconds N] [--top N] [--out FOLDER]
scenarios: npm run bench -- --list`;

export function parseProfileArguments(argv: readonly string[]): ProfileArguments {
  const { values, positionals } = readOptions(argv);
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new UsageError('name one scenario');
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) {
    const known = scenarios.map((one) => one.name).join(', ');
    throw new UsageError(`unknown scenario '${name}'; there are: ${known}`);
  }
  return {
    scenario,
    mode: oneOf('--mode', values.mode ?? scenario.modes[0]!, scenario.modes),
    of: oneOf('--of', values.of ?? 'broker', ['broker', 'client'] as const),
    seconds: wholeNumber('--seconds', values.seconds ?? '10', 600),
    top: wholeNumber('--top', values.top ?? '20', 1_000),
    out: values.out,
  };
}

function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        of: { type: 'string' },
        mode: { type: 'string' },
        seconds: { type: 'string' },
        top: { type: 'string' },
        out: { type: 'string' },
      },
    });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function oneOf<T extends string>(option: string, text: string, values: readonly T[]): T {
  const value = values.find((known) => known === text);
  if (value !== undefined) return value;
  throw new UsageError(`${option} is '${text}', not one of: ${values.join(', ')}`);
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new UsageError(`${option} is '${text}', not a whole number from 1 to ${max}`);
}
