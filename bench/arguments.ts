import { parseArgs } from 'node:util';
import { aims } from './aims.ts';
import type { Scenario } from './scenario.ts';
import { groups, scenarios } from './scenarios.ts';

/** `varve-kafka` is Varve loaded by Kafka's clients through its Kafka door. */
export type PeerName = 'varve-kafka' | 'kafka' | 'nats';

const PEERS: readonly PeerName[] = ['varve-kafka', 'kafka', 'nats'];

export interface Arguments {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly PeerName[];
  /** Where rows are appended; nowhere if it is not asked for. */
  readonly json: string | undefined;
  /** Length of the timed part of each measurement. */
  readonly seconds: number;
  /** After these, no further measurement is begun. */
  readonly minutes: number;
  /** Instead of measuring anything. */
  readonly list: boolean;
  /** Whether the table of aims closes the run. */
  readonly aims: boolean;
  /** Whether summary and charts are written; nothing is measured unless it is asked for, too. */
  readonly report: boolean;
  readonly measures: boolean;
}

/** What was typed makes no sense; the message says what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `usage: npm run bench -- [--scenario NAME|GROUP,...] [--peers varve-kafka,kafka,nats] [--seconds N]
                        [--minutes N] [--json FILE]
       npm run bench -- --aims      what the aims need, with all peers, and how they are met
       npm run bench -- --full      all of it, rows to bench/results/, aims and report
       npm run bench -- --report    summary and charts of the rows in bench/results/
       npm run bench -- --list`;

/** Where `--full` keeps its rows and the report finds them. */
export const RESULTS: URL = new URL('./results/', import.meta.url);

export function parseArguments(argv: readonly string[], today: string): Arguments {
  const { values } = readOptions(argv);
  const { full = false, aims: wantsAims = false, report = false, list = false } = values;
  const chosen = values.scenario ?? [];
  const needed = wantsAims && !full && chosen.length === 0 ? scenariosOfAims() : chosen;
  const peers = values.peers ?? (full || wantsAims ? [PEERS.join()] : []);
  return {
    scenarios: chosenScenarios(needed),
    peers: chosenPeers(peers),
    json: values.json ?? (full ? new URL(`${today}.jsonl`, RESULTS).pathname : undefined),
    seconds: numberUpTo(MAX_SECONDS, '--seconds', values.seconds ?? '10'),
    minutes: numberUpTo(MAX_MINUTES, '--minutes', values.minutes ?? '120'),
    list,
    aims: wantsAims || full,
    report: report || full,
    measures: full || wantsAims || chosen.length > 0 || !report,
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
        minutes: { type: 'string' },
        list: { type: 'boolean' },
        aims: { type: 'boolean' },
        full: { type: 'boolean' },
        report: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function scenariosOfAims(): string[] {
  return [...new Set(aims.flatMap(({ of, bounds }) => [of, ...bounds.map(({ of }) => of)]))]
    .filter((figure) => figure !== undefined)
    .map(({ scenario }) => scenario);
}

/** In the order of the table, whatever the order they were named in; all if none is. */
function chosenScenarios(lists: readonly string[]): readonly Scenario[] {
  if (lists.length === 0) return scenarios;
  const names = splitLists(lists);
  const known = scenarios.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name) && !groups.includes(name)) {
      throw new UsageError(
        `unknown scenario '${name}'; there are: ${known.join(', ')}; and the groups ${groups.join(', ')}`,
      );
    }
  }
  // A group may be named like a scenario, which it then holds.
  return scenarios.filter(({ name, group }) => names.includes(name) || names.includes(group));
}

function chosenPeers(lists: readonly string[]): readonly PeerName[] {
  const names = splitLists(lists);
  for (const name of names) {
    if (!isPeer(name))
      throw new UsageError(`unknown peer '${name}'; there are: ${PEERS.join(', ')}`);
  }
  return [...new Set(names.filter(isPeer))];
}

const splitLists = (lists: readonly string[]): string[] =>
  lists.flatMap((list) => list.split(',')).filter((name) => name !== '');

function isPeer(name: string): name is PeerName {
  return PEERS.some((peer) => peer === name);
}

function numberUpTo(max: number, option: string, text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= max)) {
    throw new UsageError(`${option} is '${text}', not a number from 1 to ${max}`);
  }
  return value;
}

/** Ten minutes of the fastest load already fill a disk. */
const MAX_SECONDS = 600;
const MAX_MINUTES = 24 * 60;
