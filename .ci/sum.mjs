// Adds up what the parts of `.ci/run` counted, prints the closing line, and fails if anything did or
// if a part left no count behind.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
let passed = 0;
let failed = 0;
let skipped = 0;
// Named once more at the end: whoever sees only that has to know which it was.
const failures = [];

for (const part of ['tests', 'package', 'conformance']) {
  const failedBefore = failed;
  const file = join(folder, `${part}.json`);
  if (existsSync(file)) {
    const result = JSON.parse(readFileSync(file, 'utf8'));
    // Vitest's JSON reporter has its own names.
    passed += result.numPassedTests ?? result.passed;
    failed += result.numFailedTests ?? result.failed;
    skipped += result.numPendingTests ?? result.skipped ?? 0;
    failures.push(...(result.failures ?? []));
    for (const { name, assertionResults } of result.testResults ?? []) {
      for (const { status, fullName, failureMessages } of assertionResults) {
        if (status === 'failed')
          failures.push(`${name}: ${fullName}\n${failureMessages.join('\n')}`);
      }
    }
  } else {
    console.log(`${part}: left no result`);
    failed++;
  }
  // What breaks off, and a file of tests that does not load, has nothing to count.
  const status = readFileSync(join(folder, `${part}.status`), 'utf8').trim();
  if (status !== '0' && failed === failedBefore) {
    console.log(`${part}: ended with ${status}`);
    failed++;
  }
}

for (const failure of failures) console.log(`failed: ${failure}`);
// What was skipped has been named where it was; the last line stays the same for whoever reads it.
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
