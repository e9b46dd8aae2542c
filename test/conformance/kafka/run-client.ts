import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Job, Program } from './client.ts';
import { FEATURES, type Feature, isFeature, type Outcome, type Outcomes } from './features.ts';

/** What a program prints: one of these a line, as JSON. */
interface Line {
  readonly feature?: unknown;
  readonly ok?: unknown;
  readonly detail?: unknown;
  /** `restart`: kill the server, start it again, and answer `restarted` on the input. */
  readonly event?: unknown;
}

/**
 * Runs the program of a client to its end. It is killed when it is silent for too long; features
 * that it did not tell about have failed.
 */
export async function runClient(
  program: Program,
  job: Job,
  restart: (() => Promise<void>) | undefined,
): Promise<Outcomes> {
  const child = spawn(program.file, [...program.args, JSON.stringify(job)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...program.env },
  });
  const outcomes = new Map<Feature, Outcome>();
  const complaints: string[] = [];
  const complain = (text: string): void => {
    complaints.push(text);
    if (complaints.length > MAX_COMPLAINTS) complaints.shift();
  };
  let silence: NodeJS.Timeout | undefined;
  const listen = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      complain(`nothing was heard of it for ${SILENCE_MS / 1_000} s`);
      child.kill('SIGKILL');
    }, SILENCE_MS);
  };
  listen();
  child.stdin.on('error', () => {});
  createInterface({ input: child.stderr }).on('line', complain);
  createInterface({ input: child.stdout }).on('line', (text) => {
    listen();
    const line = parse(text);
    if (line?.event === 'restart' && restart !== undefined) {
      restart().then(
        () => child.stdin.write('restarted\n'),
        (error: unknown) => complain(`the server did not start again: ${error}`),
      );
    } else if (line !== undefined && isFeature(line.feature) && !outcomes.has(line.feature)) {
      const ok = line.ok === true || line.ok === 'unsupported' ? line.ok : false;
      outcomes.set(line.feature, { ok, detail: String(line.detail ?? '') });
    } else {
      complain(text);
    }
  });
  const end = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(`ended with ${code ?? signal}`));
  });
  clearTimeout(silence);
  const missing = `${end} without a word on it; it said:\n${complaints.join('\n')}`;
  for (const feature of FEATURES) {
    if (!outcomes.has(feature)) outcomes.set(feature, { ok: false, detail: missing });
  }
  return outcomes;
}

function parse(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The programs give a feature a minute. */
const SILENCE_MS = 100_000;
const MAX_COMPLAINTS = 30;
