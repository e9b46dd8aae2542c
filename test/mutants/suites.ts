import { type Verdict, verdictOfSimulation, verdictOfVitest } from './verdicts.ts';

/** Checks that were not written for any mutant, as a command that is given a seed. */
export interface Suite {
  readonly name: string;
  /** How many seeds, from the given one on, a command looks at when a seed is only replayed. */
  readonly replayedSeeds: number;
  /** How many when it hunts, and how many of such commands are tried at most. */
  readonly huntedSeeds: number;
  readonly mostHunts: number;
  /** What Node is called with, in the top folder of a copy of the repository. */
  command(seed: number, seeds: number): SuiteCommand;
  /** Reads what the command printed. */
  verdict(output: SuiteOutput): Verdict;
}

export interface SuiteCommand {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface SuiteOutput {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What it wrote to `REPORT_FILE`, if it did. */
  readonly report: string | undefined;
}

/** In the top folder of the copy. */
export const REPORT_FILE = 'suite-report.json';

const powerCuts: Suite = {
  name: 'power-cuts',
  replayedSeeds: 1,
  huntedSeeds: 20,
  mostHunts: 3,
  command: (seed, seeds) => ({
    args: ['test/simulation/main.ts', '--seed', `${seed}`, '--seeds', `${seeds}`],
  }),
  verdict: verdictOfSimulation,
};

/** Clusters of the Raft core alone. */
const raft: Suite = {
  name: 'raft',
  replayedSeeds: 1,
  huntedSeeds: 2_000,
  mostHunts: 1,
  command: (seed, seeds) => ({
    args: ['test/simulation/raft/main.ts', '--from', `${seed}`, '--seeds', `${seeds}`],
  }),
  verdict: verdictOfSimulation,
};

/** Whole nodes of the metadata quorum. */
const raftNodes: Suite = {
  name: 'raft-nodes',
  replayedSeeds: 1,
  huntedSeeds: 400,
  mostHunts: 5,
  command: (seed, seeds) => ({
    args: [
      ...['test/simulation/main.ts', '--suite', 'raft', '--whole', '--workers', '1'],
      ...['--from', `${seed}`, '--seeds', `${seeds}`],
    ],
  }),
  verdict: verdictOfSimulation,
};

/** A file of `test/property`. It knows itself how many seeds it tries, or how many runs from one. */
const property = (file: string, seeds: number): Suite => ({
  ...vitest(file, [`test/property/${file}.test.ts`]),
  replayedSeeds: seeds,
  huntedSeeds: seeds,
  mostHunts: 2,
});

const vitest = (name: string, args: readonly string[]): Suite => ({
  name,
  replayedSeeds: 1,
  huntedSeeds: 1,
  mostHunts: 1,
  command: (seed) => ({
    args: [
      ...['node_modules/vitest/vitest.mjs', 'run', '--root', '.', '--config'],
      ...['test/vitest.config.ts', '--reporter', 'json', '--outputFile', REPORT_FILE],
      ...['--bail', '1', ...args],
    ],
    env: { PROPERTY_SEED: `${seed}` },
  }),
  verdict: verdictOfVitest,
});

/** What Kafka's own client wrote and hashed. */
const kafkaVectors = vitest('kafka-vectors', [
  'test/unit/records/kafka-interop.test.ts',
  'test/unit/codec/murmur2.test.ts',
  '--testNamePattern',
  'Kafka',
]);

const all: readonly Suite[] = [
  powerCuts,
  raft,
  raftNodes,
  vitest('raft-transcripts', ['test/transcript/raft']),
  property('log', 200),
  property('quorum', 300),
  property('quorum-cluster', 25),
  property('quorum-controller', 100),
  property('broker-lifecycle', 1),
  property('forwarding', 30),
  property('codec', 1),
  property('compression', 1),
  property('coordinator', 1),
  property('forming', 40),
  property('kafka-connection', 1),
  property('kafka-log', 1),
  property('kafka-messages', 1),
  property('log-codecs', 1),
  property('metadata', 1),
  property('peer-frames', 1),
  property('peer-hostile', 6),
  property('raft-hostile', 1),
  property('records', 1),
  kafkaVectors,
];

export const suites: ReadonlyMap<string, Suite> = new Map(all.map((suite) => [suite.name, suite]));
