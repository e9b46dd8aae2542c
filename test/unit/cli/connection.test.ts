import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ConnectOptions } from '../../../src/client/main.ts';
import { connect, VarveError } from '../../../src/client/main.ts';
import { nodeEnv } from '../../../src/env/node-env.ts';
import { varveAtBroker } from './at-broker.ts';
import { varve } from './run-varve.ts';

const { broker, run } = await varveAtBroker();

/** What a command connects with. */
async function connectedWith(
  args: readonly string[],
  variables: Record<string, string> = {},
): Promise<ConnectOptions> {
  let given: ConnectOptions | undefined;
  await varve(['topic', 'list', ...args], {
    variables,
    env: nodeEnv(),
    connect: async (options) => {
      given = options;
      throw new Error('enough is known');
    },
  });
  return given!;
}

test('brokers come from the option, the variable, or are the local one', async () => {
  expect((await connectedWith([])).brokers).toEqual(['127.0.0.1:9095']);
  const variables = { VARVE_BROKERS: 'a:1, [::1]:2' };
  expect((await connectedWith([], variables)).brokers).toEqual(['a:1', '[::1]:2']);
  expect((await connectedWith(['--brokers', 'b:3'], variables)).brokers).toEqual(['b:3']);
});

test('a variable that gives no brokers is wrong usage', async () => {
  const { code, stderr } = await varve(['topic', 'list'], { variables: { VARVE_BROKERS: 'a' } });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^varve: VARVE_BROKERS: address "a" is not HOST:PORT/);
});

test('certificates are read from files', async () => {
  const folder = 'test/fixtures/tls';
  const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((n) => `${folder}/${n}`);
  const { tls } = await connectedWith(['--tls-ca', ca!, '--tls-cert', cert!, '--tls-key', key!]);
  const text = (bytes: string | Uint8Array | undefined) => Buffer.from(bytes!).toString();
  expect(text(tls?.ca)).toBe(readFileSync(ca!, 'utf8'));
  expect(text(tls?.cert)).toBe(readFileSync(cert!, 'utf8'));
  expect(text(tls?.key)).toBe(readFileSync(key!, 'utf8'));
  expect((await connectedWith([])).tls).toBeUndefined();
});

test('a certificate without its key is wrong usage', async () => {
  expect(await varve(['topic', 'list', '--tls-cert', 'a.crt'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'varve: --tls-cert and --tls-key go together, give both\n',
  });
});

test('the connection is closed, also after a failure', async () => {
  const client = await broker.connect();
  const finished = await run(['topic', 'describe', 'missing'], { connect: async () => client });
  expect(finished.code).toBe(3);
  expect(() => client.admin()).toThrow(VarveError);
});

test('a broker that is not there is one line, and a stack only for those who debug', async () => {
  const args = ['topic', 'list', '--brokers', '127.0.0.1:1'];
  const { code, stderr } = await varve(args, { connect });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^varve: no broker can be reached at 127\.0\.0\.1:1 [^\n]*\n$/);
  const debugged = await varve(args, { connect, variables: { VARVE_DEBUG: '1' } });
  expect(debugged.stderr).toContain('\n    at ');
});
