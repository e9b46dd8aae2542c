import { expect, test } from 'vitest';
import { collectSettings, variableName } from '../../../src/config/sources.ts';

const keys = ['log.segment.bytes', 'log.retention.ms', 'node.id', 'rack'];

test('a file is overridden by variables, those by flags, the last flag wins', async () => {
  const { given } = await collectSettings(
    {
      file: { path: 'v.yaml', text: 'rack: file\nnode.id: 1\nlog.segment.bytes: 1\n' },
      variables: { VARVE_NODE_ID: '2', VARVE_LOG_SEGMENT_BYTES: '2' },
      flags: ['log.segment.bytes=3', 'log.segment.bytes=4'],
    },
    keys,
  );
  expect(Object.fromEntries(given)).toEqual({
    rack: { text: 'file', origin: 'v.yaml:1:1' },
    'node.id': { text: '2', origin: 'VARVE_NODE_ID' },
    'log.segment.bytes': { text: '4', origin: '--set' },
  });
});

test('no source, no settings', async () => {
  expect(await collectSettings({}, keys)).toEqual({ given: new Map(), warnings: [] });
});

test('the variable of a key is in upper case with underscores for dots', () => {
  expect(variableName('log.segment.bytes')).toBe('VARVE_LOG_SEGMENT_BYTES');
});

test('a variable that fits no key is a warning with the nearest one', async () => {
  const { given, warnings } = await collectSettings(
    { variables: { VARVE_LOG_SEGMENT_BYTE: '1', VARVE_SERVICE_HOST: '10.0.0.1' } },
    keys,
  );
  expect(given.size).toBe(0);
  expect(warnings).toEqual([
    'VARVE_LOG_SEGMENT_BYTE is the variable of no setting, did you mean VARVE_LOG_SEGMENT_BYTES',
    'VARVE_SERVICE_HOST is the variable of no setting',
  ]);
});

test("variables of others and the path of the file are nobody's business", async () => {
  const variables = { PATH: '/bin', VARVE_CONFIG: 'v.yaml', VARVE_RACK: undefined };
  const { given, warnings } = await collectSettings({ variables }, keys);
  expect(given.size).toBe(0);
  expect(warnings).toEqual([]);
});

test('the value of a flag is all after the first equals sign', async () => {
  const { given } = await collectSettings({ flags: ['rack=a=b', 'node.id='] }, keys);
  expect(given.get('rack')?.text).toBe('a=b');
  expect(given.get('node.id')?.text).toBe('');
});

test.each(['rack', '=1', ''])('the flag %j is refused', async (flag) => {
  await expect(collectSettings({ flags: [flag] }, keys)).rejects.toThrow('give key=value');
});

test('an unknown key of a file or a flag is kept for checkUnknown to refuse', async () => {
  const { given } = await collectSettings({ flags: ['rak=a'] }, keys);
  expect(given.has('rak')).toBe(true);
});
