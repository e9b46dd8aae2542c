import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../arguments.ts';
import { Workspace } from '../run/workspace.ts';
import { measure } from '../system.ts';
import { Varve } from '../varve.ts';
import { type ProfileArguments, parseProfileArguments, profileUsage } from './arguments.ts';
import { type Activity, activityOf, type CpuProfile, wholeOf } from './cpu-profile.ts';
import { renderFlameGraph } from './flame-graph.ts';
import { renderTimes } from './time-table.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Recording {
  readonly profile: CpuProfile;
  readonly activity: Activity;
}

/** Profiles the broker or the client in one scenario; returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let given: ProfileArguments;
  try {
    given = parseProfileArguments(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${profileUsage}`);
    return 2;
  }
  const workspace = new Workspace(given.of);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      workspace.close();
      process.exit(1);
    });
  }
  try {
    const { scenario, mode, seconds } = given;
    const varve = new Varve(workspace, 'sources');
    const { metrics } = await measure(varve, scenario, { mode, seconds });
    for (const { name, value, unit } of metrics) {
      console.error(`${name} ${Number(value.toPrecision(3))} ${unit} (while being profiled)`);
    }
    keep(given, meant(workspace));
    return 0;
  } finally {
    workspace.close();
  }
}

/**
 * A scenario may start several processes. The one that did most in the last timed part is meant; where
 * the load times nothing, as at a start, all that the last process did counts.
 */
function meant({ profileFolder, timedParts }: Workspace): Recording {
  const last = timedParts.at(-1);
  const window = last && { fromUs: last.fromUs, toUs: last.fromUs + last.seconds * 1e6 };
  const names = existsSync(profileFolder) ? readdirSync(profileFolder) : [];
  const [first] = names
    .filter((name) => MAIN_THREAD.test(name))
    .map((name) => {
      const profile = JSON.parse(readFileSync(join(profileFolder, name), 'utf8')) as CpuProfile;
      return { profile, activity: activityOf(profile, [window ?? wholeOf(profile)], ROOT) };
    })
    .sort((a, b) =>
      window === undefined
        ? b.profile.startTime - a.profile.startTime
        : b.activity.root.totalUs - a.activity.root.totalUs,
    );
  if (first === undefined) throw new Error('no process wrote a profile: all were killed');
  return first;
}

/** Node names a profile by date, time, process, thread and number; the main thread is 0. */
const MAIN_THREAD = /\.0\.\d+\.cpuprofile$/;

function keep({ scenario, mode, of, out, top }: ProfileArguments, recording: Recording): void {
  const folder = resolve(out ?? mkdtempSync(join(tmpdir(), 'varve-profile-')));
  mkdirSync(folder, { recursive: true });
  const { profile, activity } = recording;
  const base = join(folder, `${scenario.name}-${mode}-${of}`);
  writeFileSync(`${base}.cpuprofile`, JSON.stringify(profile));
  writeFileSync(`${base}.html`, renderFlameGraph(`${of} in ${scenario.name} (${mode})`, activity));
  console.log(`${of} in ${scenario.name} (${mode}): ${renderTimes(activity, top)}`);
  console.log(`\nflame graph: ${base}.html\nwhole run, for developer tools: ${base}.cpuprofile`);
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
