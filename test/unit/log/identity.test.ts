import { beforeEach, describe, expect, it } from 'vitest';
import { memoryEnv } from '../../../src/env/memory-env.ts';
import type { Env } from '../../../src/env/ports.ts';
import {
  type IdentityClaim,
  IdentityError,
  nameCluster,
  openIdentity,
} from '../../../src/log/identity.ts';
import { nodeId } from '../../../src/model/ids.ts';

let env: Env;
const mine: IdentityClaim = { clusterId: null, nodeId: nodeId(1) };
const open = (claim: IdentityClaim = mine) => openIdentity('data', claim, env);

async function write(name: string, text: string): Promise<void> {
  const file = await env.files.open(`data/${name}`, 'create');
  await file.truncate(0);
  await file.write(0, [new TextEncoder().encode(text)]);
  await file.close();
}

const read = async (): Promise<string> =>
  new TextDecoder().decode(await env.files.readFile('data/identity.json'));

describe('the identity of a data directory', () => {
  beforeEach(async () => {
    env = memoryEnv();
    await env.files.makeDirectory('data');
  });

  it('is given to a new directory, and stays', async () => {
    const identity = await open();
    expect(identity.clusterId).toMatch(/^[\w-]{22}$/);
    expect(identity.directoryId).toMatch(/^[\w-]{22}$/);
    expect(await open()).toEqual(identity);
    expect(await open({ clusterId: identity.clusterId, nodeId: nodeId(1) })).toEqual(identity);
  });

  it('takes the cluster id that it is given', async () => {
    expect((await open({ ...mine, clusterId: 'prod' })).clusterId).toBe('prod');
  });

  it('has no cluster if it is told later which, and then that one for good', async () => {
    const later = { ...mine, isNamedLater: true };
    const identity = await open(later);
    expect(identity.clusterId).toBe('');
    expect(await open({ ...later, clusterId: 'any' })).toEqual(identity);
    const named = await nameCluster('data', identity, 'prod', env);
    expect(named).toEqual({ ...identity, clusterId: 'prod' });
    expect(await open(later)).toEqual(named);
    await expect(open({ ...later, clusterId: 'other' })).rejects.toThrow('cluster prod, not other');
  });

  it('is given a cluster when it turns out to be alone', async () => {
    const { directoryId } = await open({ ...mine, isNamedLater: true });
    const alone = await open();
    expect(alone).toMatchObject({ directoryId, clusterId: expect.stringMatching(/^[\w-]{22}$/) });
    expect(await open()).toEqual(alone);
  });

  it('may join what is there before it: the metadata store, lost+found', async () => {
    for (const name of ['metadata', 'lost+found']) await env.files.makeDirectory(`data/${name}`);
    await write('identity.json.tmp', 'half');
    await expect(open()).resolves.toMatchObject({ nodeId: 1 });
  });

  it('is not given to a folder that holds something else', async () => {
    await env.files.makeDirectory('data/orders-0');
    await expect(open()).rejects.toThrow(
      'data holds orders-0, but no identity.json says whose it is; give an empty folder',
    );
  });

  it('refuses the directory of another cluster or node, and says which', async () => {
    await open({ ...mine, clusterId: 'prod' });
    await expect(open({ ...mine, clusterId: 'test' })).rejects.toThrow(
      'data belongs to cluster prod, not test',
    );
    await expect(open({ ...mine, nodeId: nodeId(2) })).rejects.toThrow(
      'data belongs to node 1, not 2',
    );
  });

  it('refuses a newer format, whatever else stands there', async () => {
    await write('identity.json', '{"formatVersion": 2, "who": "knows"}');
    await expect(open()).rejects.toThrow('has format 2, this program knows up to 1');
  });

  it('refuses a damaged file, and never makes a new one in its place', async () => {
    await open();
    const text = await read();
    const damaged = [
      text.replace('"nodeId": 1', '"nodeId": 2'),
      text.slice(0, 40),
      '',
      'null',
      '[]',
    ];
    for (const content of damaged) {
      await write('identity.json', content);
      await expect(open()).rejects.toThrow(IdentityError);
      expect(await read()).toBe(content);
    }
  });
});
