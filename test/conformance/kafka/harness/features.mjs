// Runs features one after another, and tells what became of each in a line of JSON.
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';

const LIMIT_MS = 60_000;
/** An hour ago: old enough to tell apart from the clock, young enough for every retention. */
export const BASE_TIME = Date.now() - 3_600_000;

export const job = JSON.parse(process.argv[2]);
export const server = job.server;
export const topicName = (name) => `${job.prefix}-${name}`;

/** What the client itself cannot do. */
class Unsupported extends Error {}

export function unsupported(reason) {
  throw new Unsupported(reason);
}

const emit = (line) => console.log(JSON.stringify(line));

export async function feature(name, body) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${LIMIT_MS / 1_000} s`)), LIMIT_MS);
  });
  try {
    await Promise.race([Promise.resolve().then(body), late]);
    emit({ feature: name, ok: true, detail: '' });
  } catch (error) {
    const isUnsupported = error instanceof Unsupported;
    const detail = isUnsupported ? error.message : describe(error);
    emit({ feature: name, ok: isUnsupported ? 'unsupported' : false, detail });
  } finally {
    clearTimeout(timer);
  }
}

function describe(error) {
  const inner = (error.errors ?? []).map((each) => each.message).join('; ');
  const lines = String(error.stack ?? '').match(/main\.mjs:\d+/g) ?? [];
  return `${error.name}: ${String(error.message).slice(0, 600)} ${inner} at ${lines.join(', ')}`;
}

const input = createInterface({ input: process.stdin });
input.pause();

/** Asks for a restart of the server; `isOver` when it has happened. */
export function restartServer() {
  const restart = { isOver: false };
  input.once('line', (line) => {
    restart.isOver = line === 'restarted';
    input.close();
  });
  input.resume();
  emit({ event: 'restart' });
  return restart;
}

export function requireRestart() {
  if (!job.canRestart) unsupported('the server is not ours to kill');
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The same bytes in every language: all values occur, and they compress. */
export const pattern = (seed, length) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => seed * 31 + i * 7));

export function incompressible(length) {
  let state = 1;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}

export function equal(actual, expected, what) {
  if (!isDeepStrictEqual(actual, expected)) {
    // Where long lists differ is not within the part of them that is shown.
    const at = isLong(actual) && isLong(expected) ? firstDifference(actual, expected) : 0;
    const [is, wanted] = at === 0 ? [actual, expected] : [actual.slice(at), expected.slice(at)];
    const from = at === 0 ? '' : `, from ${at} on,`;
    throw new Error(`${what}${from} is ${show(is)}, expected ${show(wanted)}`);
  }
}

const isLong = (value) => Array.isArray(value) && value.length > 20;

function firstDifference(actual, expected) {
  const found = expected.findIndex((each, i) => !isDeepStrictEqual(each, actual[i]));
  return found === -1 ? expected.length : found;
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

/** What takes a moment to be seen everywhere is asked again, for ten seconds. */
export async function eventually(body) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await body();
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}

function show(value) {
  const text = Buffer.isBuffer(value)
    ? `${value.length} bytes ${value.toString('latin1').slice(0, 100)}`
    : JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each));
  return String(text).slice(0, 300);
}

export const record = (value, { key = null, headers = [], afterMs = 0 } = {}) => ({
  key: key === null ? null : Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
  headers: headers.map(([name, each]) => [name, each === null ? null : Buffer.from(each)]),
  timestamp: BASE_TIME + afterMs,
});

export const sample = (count) =>
  Array.from({ length: count }, (_, i) =>
    record(pattern(i, 100 + 50 * i), { key: `key ${i}`, afterMs: i }),
  );

export const numbered = (count) =>
  Array.from({ length: count }, (_, i) => record(`record ${i}`, { afterMs: i }));

/** Compares what was read, `{offset, key, value, headers, timestamp}`, with what was sent. */
export function expect(sent, read, firstOffset = 0) {
  equal(read.length, sent.length, 'the number of records read');
  sent.forEach((each, i) => {
    equal(Number(read[i].offset), firstOffset + i, `the offset of record ${i}`);
    for (const part of ['key', 'value', 'headers', 'timestamp']) {
      equal(read[i][part], each[part], `the ${part} of record ${i}`);
    }
  });
}
