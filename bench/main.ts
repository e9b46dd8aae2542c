import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { aims, judge, renderFindings } from './aims.ts';
import { type Arguments, parseArguments, RESULTS, UsageError, usage } from './arguments.ts';
import { writeReport } from './report/report.ts';
import { appendRows, type Outcome, type Row, type RunIdentity, readRows, toRows } from './rows.ts';
import { identifyRun } from './run/identity.ts';
import { Workspace } from './run/workspace.ts';
import type { Mode, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { measure, type System, UnavailableError } from './system.ts';
import { systemsFor } from './systems.ts';
import { renderColumns, renderScenario } from './table.ts';

/** Runs the bench; returns the exit code: 0, 1 if a measurement failed, 2 for wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  const given = readArguments(argv);
  if (given === undefined) return 2;
  if (given.list) {
    const rows = scenarios.map(({ name, group, title }) => [name, group, title]);
    console.log(renderColumns([['scenario', 'group', ''], ...rows]));
    return 0;
  }
  const exitCode = given.measures ? await runIn(new Workspace(), given) : 0;
  if (given.report) {
    const folder = fileURLToPath(RESULTS);
    for (const file of writeReport(readRows(folder), folder)) console.error(`written: ${file}`);
  }
  return exitCode;
}

function readArguments(argv: readonly string[]): Arguments | undefined {
  try {
    return parseArguments(argv, new Date().toISOString().slice(0, 10));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return undefined;
  }
}

async function runIn(workspace: Workspace, given: Arguments): Promise<number> {
  const stopped = (signal: 'SIGINT' | 'SIGTERM') => {
    workspace.close();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  // Not once: a signal may come twice, from the terminal and from npm, and the second must not cut off
  // what the first began.
  process.on('SIGINT', stopped);
  process.on('SIGTERM', stopped);
  try {
    return await runAll(given, workspace);
  } finally {
    workspace.close();
  }
}

async function runAll(given: Arguments, workspace: Workspace): Promise<number> {
  const run = identifyRun();
  const startMs = performance.now();
  const before = minuteLoad();
  console.error(`${run.machine}, commit ${run.commit}, load average ${before}`);
  if (before > CALM_LOAD) console.error('WARNING: the machine is not calm: figures are noise.');
  if (workspace.isInMemory) {
    console.error('WARNING: the temporary folder is in memory, where an fsync costs nothing; set');
    console.error('TMPDIR to a folder on a disk, or take no figure marked fsync for one.');
  }
  const wanted = systemsFor(given.scenarios, given.peers, workspace);
  const systems = await prepared(wanted);

  const { outcomes, failures } = await measureAll(given, systems, workspace, run);
  for (const scenario of given.scenarios) {
    if (planned([scenario], systems).length > 0) {
      console.log(`\n${renderScenario(scenario, outcomes)}`);
    } else console.error(`NOT MEASURED: ${scenario.name} takes --peers varve-kafka,kafka`);
  }
  if (given.aims) {
    const rows: readonly Row[] = outcomes.flatMap((outcome) => toRows(outcome, run));
    const names = given.scenarios.map(({ name }) => name);
    const own = aims.filter(({ of }) => names.includes(of.scenario));
    console.log(`\naims\n${renderFindings(own.map((aim) => judge(aim, rows)))}`);
  }
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
  const loads = `load average ${before} at the start and ${minuteLoad()} at the end, its own included`;
  console.log(`\n${outcomes.length} measurements in ${minutes} minutes; ${loads}`);
  for (const { name } of wanted.filter((system) => !systems.includes(system))) {
    console.error(`SKIPPED: ${name}, see above for what it lacks`);
  }
  for (const failure of failures) console.error(`FAILED: ${failure}`);
  return failures.length > 0 ? 1 : 0;
}

async function measureAll(
  given: Arguments,
  systems: readonly System[],
  workspace: Workspace,
  run: RunIdentity,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly failures: readonly string[] }> {
  const outcomes: Outcome[] = [];
  const failures: string[] = [];
  const endMs = performance.now() + given.minutes * 60_000;
  for (const { scenario, mode, system } of planned(given.scenarios, systems)) {
    const name = `${scenario.name} ${mode} ${system.name}`;
    if (performance.now() > endMs) {
      failures.push(`${name}: not begun, the ${given.minutes} minutes of --minutes were over`);
      continue;
    }
    console.error(`${name} …`);
    const before = minuteLoad();
    try {
      const measurement = await measure(system, scenario, { mode, seconds: given.seconds });
      const outcome: Outcome = {
        scenario: scenario.name,
        system: system.name,
        mode,
        measurement,
        load: [before, minuteLoad()],
      };
      outcomes.push(outcome);
      if (given.json !== undefined) appendRows(given.json, toRows(outcome, run));
    } catch (error) {
      const failure = `${name}: ${error instanceof Error ? error.message : error}`;
      console.error(`FAILED: ${failure}`);
      failures.push(failure);
    } finally {
      workspace.killAll();
    }
  }
  return { outcomes, failures };
}

interface Planned {
  readonly scenario: Scenario;
  readonly mode: Mode;
  readonly system: System;
}

/** What is compared follows each other closely, so that what the machine does meanwhile hits all alike. */
function planned(chosen: readonly Scenario[], systems: readonly System[]): Planned[] {
  return chosen.flatMap((scenario) =>
    scenario.modes.flatMap((mode) =>
      scenario.systems.flatMap((name) =>
        systems
          .filter((system) => system.name === name)
          .map((system) => ({ scenario, mode, system })),
      ),
    ),
  );
}

/** The systems that can run here; the others are named on stderr with what they lack. */
async function prepared(systems: readonly System[]): Promise<System[]> {
  const ready: System[] = [];
  for (const system of systems) {
    try {
      await system.prepare();
      ready.push(system);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      console.error(`SKIPPED: ${system.name}: ${error.message}`);
    }
  }
  return ready;
}

const minuteLoad = (): number => Number(loadavg()[0]!.toFixed(2));

/** Above it somebody else uses the machine. */
const CALM_LOAD = 0.5;

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
