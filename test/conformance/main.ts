import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Result, runSuite, type Verdict } from './check.ts';
import { writeAdminMethods } from './kafka/admin/admin-methods.ts';
import { copySuite } from './kafka/disk/copy-suite.ts';
import { dumpSuite } from './kafka/disk/dump-suite.ts';
import { exchangeSuite } from './kafka/disk/exchange-suite.ts';
import { schemaSuite } from './kafka/schemas.ts';
import { runKafkaClients } from './kafka/suite.ts';
import { pythonSuite } from './python.ts';

/**
 * `npm run conformance [-- --suite ID … --client ID,… --server HOST:PORT|kafka --write-table --results FILE | --admin-methods]`:
 * what others wrote, against a broker of ours: stubs made from `proto/` with the tools of other languages, the
 * clients written for Kafka, Kafka's own definitions of its messages, and files that it and we exchange. What a
 * machine has no tools for is skipped, and said so. With `--suite` only those suites run; with `--client` or
 * `--server` only clients of Kafka: those named, against that server, which may be an Apache Kafka that is
 * started for it (`kafka`). `--admin-methods` writes what becomes of every method of two admin libraries.
 */
const suites: Readonly<Record<string, (folder: string) => Promise<Result[]>>> = {
  python: (folder) => runSuite(pythonSuite, folder),
  schemas: (folder) => runSuite(schemaSuite, folder),
  exchange: (folder) => runSuite(exchangeSuite, folder),
  copy: (folder) => runSuite(copySuite, folder),
  dump: (folder) => runSuite(dumpSuite, folder),
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      results: { type: 'string' },
      suite: { type: 'string', multiple: true },
      server: { type: 'string' },
      client: { type: 'string' },
      'write-table': { type: 'boolean', default: false },
      'admin-methods': { type: 'boolean', default: false },
    },
  });
  if (values['admin-methods']) {
    process.exitCode = (await writeAdminMethods()) === 0 ? 0 : 1;
    return;
  }
  const results: Result[] = [];
  const wantsClients = values.server !== undefined || values.client !== undefined;
  if (!wantsClients) results.push(...(await runSuites(values.suite ?? Object.keys(suites))));
  const ids = values.client?.split(',');
  const writesTable = values['write-table'];
  if (values.suite === undefined) {
    results.push(...(await runKafkaClients({ server: values.server, ids, writesTable })));
  }
  report(results);
  const count = (verdict: Verdict): number =>
    results.filter((result) => result.verdict === verdict).length;
  const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  const failures = results.flatMap(({ suite, check, verdict, reason }) =>
    verdict === 'failed' ? [`${suite}: ${check}\n${reason}`] : [],
  );
  if (values.results !== undefined)
    writeFileSync(values.results, JSON.stringify({ ...counts, failures }));
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} SKIPPED`;
  console.log(`conformance: ${counts.passed} passed, ${counts.failed} failed${skipped}`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

async function runSuites(ids: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const id of ids) {
    const suite = suites[id];
    if (suite === undefined) {
      throw new Error(`no suite ${id}; there are ${Object.keys(suites).join(', ')}`);
    }
    const folder = mkdtempSync(join(tmpdir(), 'varve-conformance-'));
    try {
      results.push(...(await suite(folder)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return results;
}

function report(results: readonly Result[]): void {
  const width = Math.max(...results.map(({ suite }) => suite.length));
  let last: Result | undefined;
  for (const result of results) {
    const { suite, check, verdict, reason } = result;
    console.log(`${WORD[verdict].padEnd(7)}  ${suite.padEnd(width)}  ${check}`);
    // All checks of a suite are skipped for one reason, and neighbours often fail for one.
    const isNew = reason !== last?.reason || suite !== last.suite;
    if (reason !== '' && isNew) console.log(reason.replace(/^/gm, '         '));
    last = result;
  }
}

const WORD: Readonly<Record<Verdict, string>> = {
  passed: 'ok',
  failed: 'FAILED',
  skipped: 'SKIPPED',
  unsupported: '–',
};

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
