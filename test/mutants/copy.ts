import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutant, mutated } from './mutant.ts';
import { REPORT_FILE, type Suite, type SuiteOutput } from './suites.ts';
import type { Verdict } from './verdicts.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What a suite needs of the repository. */
const PARTS = ['src', 'test', 'proto', 'package.json', 'tsconfig.json'];

/** A copy of the repository in the folder for temporary files, in which one mutant at a time lives. */
export class Copy {
  readonly #path: string;
  /** Kills what is running. */
  #stop: () => void = () => {};

  constructor() {
    this.#path = mkdtempSync(join(tmpdir(), 'varve-mutants-'));
    for (const part of PARTS) {
      cpSync(join(ROOT, part), join(this.#path, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(this.#path, 'node_modules'));
  }

  /** Puts the bug in while `use` runs. @throws MutantError if there is no place for it */
  async with<T>(mutant: Mutant, use: () => Promise<T>): Promise<T> {
    const path = join(this.#path, mutant.file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutated(mutant, source));
    try {
      return await use();
    } finally {
      writeFileSync(path, source);
    }
  }

  /** Runs a suite on the copy as it is now; a run that takes longer than `limitMs` is red. */
  async run(suite: Suite, seed: number, seeds: number, limitMs: number): Promise<Verdict> {
    const output = await this.#spawn(suite, seed, seeds, limitMs);
    if (output !== 'late') return suite.verdict(output);
    const check = `it ends within ${limitMs / 1000} s`;
    return { kind: 'red', check, problem: 'it was still running', seed: seeds === 1 ? seed : null };
  }

  remove(): void {
    this.#stop();
    rmSync(this.#path, { recursive: true, force: true });
  }

  #spawn(
    suite: Suite,
    seed: number,
    seeds: number,
    limitMs: number,
  ): Promise<SuiteOutput | 'late'> {
    const { args, env } = suite.command(seed, seeds);
    const report = join(this.#path, REPORT_FILE);
    rmSync(report, { force: true });
    const child = spawn(process.execPath, args, {
      cwd: this.#path,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it starts ends with it.
      detached: true,
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    return new Promise((resolve, reject) => {
      let isLate = false;
      this.#stop = () => {
        if (child.pid !== undefined && child.exitCode === null) killGroup(child.pid);
      };
      const watch = setTimeout(() => {
        isLate = true;
        this.#stop();
      }, limitMs);
      child.once('error', reject);
      child.once('close', (exitCode) => {
        clearTimeout(watch);
        this.#stop = () => {};
        const written = existsSync(report) ? readFileSync(report, 'utf8') : undefined;
        resolve(isLate ? 'late' : { exitCode, ...output, report: written });
      });
    });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
