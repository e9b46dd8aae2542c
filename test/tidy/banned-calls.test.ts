import { expect, test } from 'vitest';
import { checkBannedCalls } from './banned-calls.ts';
import { filesUnder } from './source-files.ts';

const sources = filesUnder('src', ['.ts']);

test('nothing nondeterministic outside env, nothing asynchronous in pure rooms', () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(checkBannedCalls(sources)).toEqual([]);
});

test.each([
  'const now = Date.now();',
  'const clock = Date.now;',
  'const now = new Date();',
  'const now = new Date;',
  'const now = Date();',
  'const t = performance.now();',
  'const r = Math.random();',
  'const id = crypto.randomUUID();',
  'crypto.getRandomValues(bytes);',
  'const b = randomBytes(16);',
  'setTimeout(() => {}, 5);',
  'const later = setImmediate;',
  'globalThis.setInterval(f, 5);',
  'const signal = AbortSignal.timeout(5);',
  'await fetch(url);',
  'const home = process.env.HOME;',
  'process.on("SIGTERM", stop);',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source file
  'const text = `at ${Date.now()}`;',
])('%j is found in a room that may not', (text) => {
  expect(checkBannedCalls([{ path: 'src/log/a.ts', text }])).toHaveLength(1);
  expect(checkBannedCalls([{ path: 'src/env/a.ts', text }])).toEqual([]);
});

test.each([
  '// Date.now() is banned',
  "const message = 'Math.random() is banned';",
  'const at = new Date(clock.wallMs());',
  'timers.setTimeout(5);',
  'this.fetch(5); class A { #fetch() { this.#fetch(); } }',
  'worker.process.add(1);',
])('%j is fine anywhere', (text) => {
  expect(checkBannedCalls([{ path: 'src/log/a.ts', text }])).toEqual([]);
});

test('a finding names file, line and what to use', () => {
  const text = '// one\nconst two = 2;\nconst three = Date.now();\n';
  expect(checkBannedCalls([{ path: 'src/log/a.ts', text }])).toEqual([
    'src/log/a.ts:3 uses Date.now, use env.clock.wallMs',
  ]);
});

test('a pure room has nothing asynchronous', () => {
  const text = 'export async function f(): Promise<void> { await g(); }';
  expect(checkBannedCalls([{ path: 'src/records/a.ts', text }])).toHaveLength(3);
  expect(checkBannedCalls([{ path: 'src/log/a.ts', text }])).toEqual([]);
});
