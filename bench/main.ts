import { type Arguments, parseArguments, UsageError, usage } from './arguments.ts';
import { MachineLimit } from './limits/machine-limit.ts';
import { Kafka } from './peers/kafka.ts';
import { Nats } from './peers/nats.ts';
import { appendRows, type Outcome, toRows } from './rows.ts';
import { identifyRun } from './run/identity.ts';
import { Workspace } from './run/workspace.ts';
import { scenarios } from './scenarios.ts';
import { type System, UnavailableError } from './system.ts';
import { renderScenario } from './table.ts';
import { Varve } from './varve.ts';

/** Runs the bench; returns the exit code: 0, 1 if a measurement failed, 2 for wrong usage. */
async function main(argv: readonly string[]): Promise<number> {
  const given = readArguments(argv);
  if (given === undefined) return 2;
  if (given.list) {
    for (const { name, title } of scenarios) console.log(`${name.padEnd(14)}${title}`);
    return 0;
  }
  const workspace = new Workspace();
  const stopped = (signal: 'SIGINT' | 'SIGTERM') => {
    workspace.close();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stopped);
  process.once('SIGTERM', stopped);
  try {
    return await runAll(given, workspace);
  } finally {
    workspace.close();
  }
}

function readArguments(argv: readonly string[]): Arguments | undefined {
  try {
    return parseArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return undefined;
  }
}

async function runAll(given: Arguments, workspace: Workspace): Promise<number> {
  const run = identifyRun();
  console.error(`${run.machine}, commit ${run.commit}`);
  if (workspace.isInMemory) {
    console.error('WARNING: the temporary folder is in memory, where an fsync costs nothing; set');
    console.error('TMPDIR to a folder on a disk, or take no figure marked fsync for one.');
  }
  const wanted: System[] = [new MachineLimit(workspace), new Varve(workspace)];
  if (given.peers.includes('kafka')) wanted.push(new Kafka(workspace));
  if (given.peers.includes('nats')) wanted.push(new Nats(workspace));
  const systems = await prepared(wanted);

  const outcomes: Outcome[] = [];
  let failures = 0;
  for (const scenario of given.scenarios) {
    for (const mode of scenario.modes) {
      for (const system of systems) {
        console.error(`${scenario.name} ${mode} ${system.name} …`);
        try {
          const measurement = await system.measure(scenario, mode, given.seconds);
          const outcome: Outcome = {
            scenario: scenario.name,
            system: system.name,
            mode,
            measurement,
          };
          outcomes.push(outcome);
          if (given.json !== undefined) appendRows(given.json, toRows(outcome, run));
        } catch (error) {
          failures++;
          console.error(`FAILED: ${scenario.name} ${mode} ${system.name}: ${describe(error)}`);
        } finally {
          workspace.killAll();
        }
      }
    }
  }
  for (const scenario of given.scenarios) console.log(`\n${renderScenario(scenario, outcomes)}`);
  for (const { name } of wanted.filter((system) => !systems.includes(system))) {
    console.error(`\nSKIPPED: ${name}, see above for what it lacks`);
  }
  if (failures > 0) console.error(`\nFAILED measurements: ${failures}, see above`);
  return failures > 0 ? 1 : 0;
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

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
