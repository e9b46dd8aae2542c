import { parseArgs } from 'node:util';
import { type Scenario, scenarios } from './scenarios.ts';

export type PeerName = 'kafka' | 'nats';

export interface Arguments {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly PeerName[];
  /** Where rows are appended; nowhere if it is not asked for. */
  readonly json: string | undefined;
  /** Length of the timed part of each measurement. */
  readonly seconds: number;
  readonly list: boolean;
}

/** What was typed makes no sense; the message says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `usage: npm run bench -- [--scenario NAME]... [--peers kafka,nats] [--json FILE]
                        [--seconds N] [--list]`;

export function parseArguments(argv: readonly string[]): Arguments {
  const { values } = readOptions(argv);
  return {
    scenarios: chosenScenarios(values.scenario ?? []),
    peers: chosenPeers(values.peers ?? []),
    json: values.json,
    seconds: chosenSeconds(values.seconds),
    list: values.list ?? false,
  };
}

function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        scenario: { type: 'string', multiple: true },
        peers: { type: 'string', multiple: true },
        json: { type: 'string' },
        seconds: { type: 'string' },
        list: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

/** In the order of the table, whatever the order they were named in. */
function chosenScenarios(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return scenarios;
  const known = scenarios.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`unknown scenario '${name}'; there are: ${known.join(', ')}`);
    }
  }
  return scenarios.filter(({ name }) => names.includes(name));
}

function chosenPeers(lists: readonly string[]): readonly PeerName[] {
  const names = lists.flatMap((list) => list.split(',')).filter((name) => name !== '');
  for (const name of names) {
    if (!isPeer(name)) throw new UsageError(`unknown peer '${name}'; there are: kafka, nats`);
  }
  return [...new Set(names.filter(isPeer))];
}

function isPeer(name: string): name is PeerName {
  return name === 'kafka' || name === 'nats';
}

function chosenSeconds(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS;
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= MAX_SECONDS)) {
    throw new UsageError(`--seconds is '${text}', not a number from 1 to ${MAX_SECONDS}`);
  }
  return seconds;
}

const DEFAULT_SECONDS = 10;
/** Ten minutes of the fastest load already fill a disk. */
const MAX_SECONDS = 600;
