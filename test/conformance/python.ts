import { deepStrictEqual } from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BrokerProcess } from '../support/processes.ts';
import type { Suite } from './check.ts';
import { execute } from './command.ts';
import { pythonEnvironment } from './python-environment.ts';
import {
  consumeSample,
  createTopic,
  expectSample,
  type PortableRecord,
  produceSample,
  sampleRecords,
} from './records.ts';

const here = fileURLToPath(new URL('python/', import.meta.url));
const protoFolder = fileURLToPath(new URL('../../proto', import.meta.url));
const protoFiles = ['error', 'admin', 'log'].map((name) => `${protoFolder}/varve/v1/${name}.proto`);

/** A broker, and a Python that has stubs made from `proto/`. */
interface Prepared extends AsyncDisposable {
  readonly broker: BrokerProcess;
  readonly folder: string;
  /** Runs a script with arguments and an input; returns what it printed. */
  run(script: string, args: readonly string[], input?: string): Promise<string>;
}

async function prepare(folder: string): Promise<Prepared> {
  const python = await pythonEnvironment('python', `${here}requirements.txt`);
  const stubs = `${folder}/stubs`;
  mkdirSync(stubs);
  const outputs = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
  await execute(python, ['-m', 'grpc_tools.protoc', '-I', protoFolder, ...outputs, ...protoFiles]);
  const broker = new BrokerProcess(`${folder}/data`);
  await broker.start();
  const env = { PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: '1', GRPC_VERBOSITY: 'ERROR' };
  return {
    broker,
    folder,
    run: (script, args, input = '') => execute(python, [script, ...args], { env, input }),
    [Symbol.asyncDispose]: () => broker.kill(),
  };
}

/** The example of the README, sent to the broker of this run instead of the default address. */
async function runReadmeExample({ broker, folder, run }: Prepared): Promise<string> {
  const example = readFileSync(`${here}readme_example.py`, 'utf8');
  const script = `${folder}/readme_example.py`;
  const moved = example.replace('127.0.0.1:9095', broker.address);
  if (moved === example) throw new Error('the example does not connect to 127.0.0.1:9095');
  writeFileSync(script, moved);
  return await run(script, []);
}

const READ = "[(0, b'en', b'hello'), (1, b'fr', b'bonjour')]";

const jsonLines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function readByPython(prepared: Prepared, topic: string): Promise<void> {
  const { broker, run } = prepared;
  const count = String(sampleRecords().length);
  const output = await run(`${here}round_trip.py`, [broker.address, 'consume', topic, count]);
  expectSample(jsonLines(output) as PortableRecord[]);
}

export const pythonSuite: Suite<Prepared> = {
  name: 'Python grpcio',
  prepare,
  checks: {
    'the example of the README produces and consumes': async (prepared) => {
      const printed = await runReadmeExample(prepared);
      // The first answer of the broker only grants credit.
      deepStrictEqual(printed.trim().split('\n'), ['[]', "[('stored', 0)]", READ]);
    },
    'the example works again after the broker was killed': async (prepared) => {
      await prepared.broker.kill();
      await prepared.broker.start();
      const printed = await runReadmeExample(prepared);
      deepStrictEqual(printed.trim().split('\n'), ['[]', "[('stored', 2)]", READ]);
    },
    'administration and error trailers': async ({ broker, run }) => {
      await run(`${here}administer.py`, [broker.address]);
    },
    'what Python writes our client reads, byte for byte': async ({ broker, run }) => {
      await createTopic(broker.address, 'by-python');
      const input = sampleRecords()
        .map((record) => `${JSON.stringify(record)}\n`)
        .join('');
      await run(`${here}round_trip.py`, [broker.address, 'produce', 'by-python'], input);
      await consumeSample(broker.address, 'by-python');
    },
    ...Object.fromEntries(
      (['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map((compression) => [
        `what our client writes (${compression}) Python reads, byte for byte`,
        async (prepared: Prepared) => {
          const topic = `by-client-${compression}`;
          await createTopic(prepared.broker.address, topic);
          await produceSample(prepared.broker.address, topic, compression);
          await readByPython(prepared, topic);
        },
      ]),
    ),
    'the broker stops in order after all that': async ({ broker }) => {
      deepStrictEqual(await broker.stop(), 0);
    },
  },
};
