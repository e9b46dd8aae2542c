import { expect, test } from 'vitest';
import { ChangePlan } from '../../../src/controller/change-plan.ts';
import { type FeatureUpdate, updateFeatures } from '../../../src/controller/feature-levels.ts';
import { metadataVersion } from '../../../src/metadata/image.ts';
import { Errors } from '../../../src/model/errors.ts';
import { ClusterMetadata } from '../../support/cluster-metadata.ts';
import { told } from './started-controller.ts';

const NAME = 'metadata.version';
const rangeTo = (max: number) => [{ name: NAME, min: 1, max }];

function update(cluster: ClusterMetadata, ...updates: FeatureUpdate[]): string[] {
  return cluster.decide((image, position) => {
    const plan = new ChangePlan(image, position);
    const response = told(updateFeatures(plan, updates));
    return { records: plan.records, response };
  });
}

test('a new cluster begins with the newest level, and an old one with the first', () => {
  expect(metadataVersion(ClusterMetadata.formed().image)).toBe(2);
  expect(metadataVersion(ClusterMetadata.ofLevel1().image)).toBe(1);
});

test('the only broker of an old cluster raises it as it registers, in one entry', () => {
  const cluster = ClusterMetadata.ofLevel1();
  cluster.register(1, 'old', { features: rangeTo(1) });
  cluster.topic('t', [1]);
  expect(metadataVersion(cluster.image)).toBe(1);
  const { position } = cluster.image;
  cluster.register(1, 'new');
  expect(cluster.image.position).toBe(position + 1);
  expect(metadataVersion(cluster.image)).toBe(2);
  expect(cluster.broker(1)).toMatchObject({ features: rangeTo(2), state: 'unfenced' });
  expect(cluster.leaders).toEqual(['1@1']);
});

test('a second broker waits until the first one has raised an old cluster', () => {
  const cluster = ClusterMetadata.ofLevel1();
  cluster.register(1, 'old', { features: rangeTo(1) });
  const { image } = cluster;
  expect(() => cluster.register(2, 'i')).toThrow(
    expect.objectContaining({
      row: Errors.UNSUPPORTED_VERSION,
      message:
        'broker 2 cannot join yet: the metadata is of level 1, for one broker; start broker 1 with this version first',
    }),
  );
  expect(cluster.image).toBe(image);
  cluster.register(1, 'new');
  cluster.register(2, 'i');
  expect(cluster.broker(2).features).toEqual(rangeTo(2));
});

test('what level 1 cannot say is left out, and what is not known holds a level back', () => {
  const cluster = ClusterMetadata.ofLevel1();
  const listeners = [{ name: 'A', host: 'h', port: 1, securityProtocol: 'SSL' }];
  const features = rangeTo(1);
  cluster.register(1, 'i', { isFenced: true, listeners, peerAddress: 'h:1', features });
  expect(cluster.broker(1)).toMatchObject({ state: 'unfenced', listeners: [], features: [] });
  expect(update(cluster, { name: NAME, level: 2 })).toEqual([
    `${NAME} INVALID_UPDATE_VERSION: broker 1 does not know feature ${NAME}, so the cluster cannot go to level 2; update it, or unregister it`,
  ]);
  expect(metadataVersion(cluster.image)).toBe(1);
});

test('a broker that does not know a level that counts is not let in', () => {
  const cluster = ClusterMetadata.formed();
  const { image } = cluster;
  expect(() => cluster.register(1, 'i', { features: rangeTo(1) })).toThrow(
    expect.objectContaining({
      row: Errors.UNSUPPORTED_VERSION,
      message: `broker 1 supports levels 1 to 1 of ${NAME}, the cluster uses level 2; start it with a version of varve that knows that`,
    }),
  );
  expect(() => cluster.register(1, 'i', { features: [] })).toThrow(
    `broker 1 does not know feature ${NAME}, the cluster uses level 2`,
  );
  const newer = [{ name: NAME, min: 3, max: 5 }];
  expect(() => cluster.register(1, 'i', { features: newer })).toThrow('supports levels 3 to 5');
  expect(cluster.image).toBe(image);
});

test('levels rise to what is known here, and never fall', () => {
  const cluster = ClusterMetadata.formed();
  cluster.register(1, 'i');
  const { image } = cluster;
  expect(update(cluster, { name: NAME, level: 2 })).toEqual([`${NAME} ok`]);
  const wrong = `${NAME} INVALID_UPDATE_VERSION: ${NAME}`;
  for (const level of [0, -1, 1.5, 3]) {
    expect(update(cluster, { name: NAME, level })).toEqual([
      `${wrong} cannot be at level ${level}, give from 1 to 2`,
    ]);
  }
  expect(update(cluster, { name: NAME, level: 1 })).toEqual([
    `${wrong} is at level 2 and cannot go back to 1`,
  ]);
  expect(update(cluster, { name: 'group.version', level: 1 })).toEqual([
    `group.version INVALID_UPDATE_VERSION: there is no feature "group.version"; there is ${NAME}`,
  ]);
  const twice = { name: NAME, level: 2 };
  expect(update(cluster, twice, twice)[1]).toContain('stands twice in the request');
  expect(cluster.image).toBe(image);
});

test('where nobody is registered nobody holds a level back', () => {
  const empty = ClusterMetadata.ofLevel1();
  expect(update(empty, { name: NAME, level: 2 })).toEqual([`${NAME} ok`]);
  expect(metadataVersion(empty.image)).toBe(2);
});
