import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Result, runSuite, type Verdict } from './check.ts';
import { schemaSuite } from './kafka/schemas.ts';
import { pythonSuite } from './python.ts';

/**
 * `npm run conformance [-- --results FILE]`: clients of other languages, made from `proto/` with the
 * tools of those languages, against a broker that runs from the sources; and the messages of Kafka as
 * Kafka defines them. What a machine has no tools for is skipped, and said so.
 */
const suites: readonly ((folder: string) => Promise<Result[]>)[] = [
  (folder) => runSuite(pythonSuite, folder),
  (folder) => runSuite(schemaSuite, folder),
];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { results: { type: 'string' } } });
  const results: Result[] = [];
  for (const suite of suites) {
    const folder = mkdtempSync(join(tmpdir(), 'varve-conformance-'));
    try {
      results.push(...(await suite(folder)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  report(results);
  const count = (verdict: Verdict): number =>
    results.filter((result) => result.verdict === verdict).length;
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(counts));
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} SKIPPED`;
  console.log(`conformance: ${counts.passed} passed, ${counts.failed} failed${skipped}`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

function report(results: readonly Result[]): void {
  const width = Math.max(...results.map(({ suite }) => suite.length));
  let lastReason = '';
  for (const { suite, check, verdict, reason } of results) {
    const word = verdict === 'passed' ? 'ok' : verdict.toUpperCase();
    console.log(`${word.padEnd(7)}  ${suite.padEnd(width)}  ${check}`);
    // All checks of a suite are skipped for one reason.
    if (reason !== '' && reason !== lastReason) console.log(reason.replace(/^/gm, '         '));
    lastReason = reason;
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
