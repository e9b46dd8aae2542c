/** Checks that share what it takes to run them: a toolchain and a client made with it. */
export interface Suite<Prepared extends AsyncDisposable> {
  readonly name: string;
  /** @throws MissingToolchainError if this machine cannot run it; any other error fails all checks */
  prepare(folder: string): Promise<Prepared>;
  readonly checks: { readonly [name: string]: (prepared: Prepared) => Promise<void> };
}

/** This machine lacks what a suite needs. */
export class MissingToolchainError extends Error {
  override readonly name = 'MissingToolchainError';
}

/** `unsupported`: the client itself cannot do it, whatever the broker does. */
export type Verdict = 'passed' | 'failed' | 'skipped' | 'unsupported';

/** What became of a check, and why if it did not pass. */
export interface Result {
  readonly suite: string;
  readonly check: string;
  readonly verdict: Verdict;
  readonly reason: string;
}

/** Runs the checks of a suite one after another; never fails. */
export async function runSuite<Prepared extends AsyncDisposable>(
  suite: Suite<Prepared>,
  folder: string,
): Promise<Result[]> {
  const results: Result[] = [];
  try {
    await using prepared = await suite.prepare(folder);
    for (const [check, run] of Object.entries(suite.checks)) {
      results.push({ suite: suite.name, check, ...(await verdictOf(run(prepared))) });
    }
  } catch (error) {
    const verdict = error instanceof MissingToolchainError ? 'skipped' : 'failed';
    const reason = describe(error);
    for (const check of Object.keys(suite.checks).slice(results.length)) {
      results.push({ suite: suite.name, check, verdict, reason });
    }
  }
  return results;
}

async function verdictOf(check: Promise<void>): Promise<Pick<Result, 'verdict' | 'reason'>> {
  try {
    await check;
    return { verdict: 'passed', reason: '' };
  } catch (error) {
    return { verdict: 'failed', reason: describe(error) };
  }
}

const describe = (error: unknown): string =>
  error instanceof MissingToolchainError ? error.message : String((error as Error).stack ?? error);
