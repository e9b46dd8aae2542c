import { expect, test } from 'vitest';
import type { Message } from '../../../support/kafka-messages.ts';
import { ConnectionWorld } from '../connection-world.ts';

const open = () => ConnectionWorld.open({}, (world) => world.createTopic('a'));

const resource = (
  resourceType: number,
  resourceName: string,
  configurationKeys: readonly string[] | null = null,
) => ({ resourceType, resourceName, configurationKeys });

const requestOf = (resources: readonly object[], more: object = {}) => ({
  resources,
  includeSynonyms: false,
  includeDocumentation: false,
  ...more,
});

interface Result {
  readonly errorCode: number;
  readonly configs: readonly { readonly name: string }[];
}

const resultsOf = (answer: Message) => answer['results'] as readonly Result[];

test('every version tells the settings of a topic with their types and sources', async () => {
  const world = await open();
  for (let version = 1; version <= 4; version++) {
    const [result] = resultsOf(
      await world.ask('DescribeConfigs', version, requestOf([resource(2, 'a')])),
    );
    expect(result!.errorCode).toBe(0);
    expect(result!.configs.length).toBeGreaterThan(10);
    expect(result!.configs).toContainEqual(
      expect.objectContaining({
        name: 'cleanup.policy',
        value: 'delete',
        readOnly: false,
        configSource: 5,
        synonyms: [],
        ...(version >= 3 ? { configType: 7, documentation: null } : {}),
      }),
    );
  }
});

test('synonyms and documentation come if they are asked for, and only the settings that are', async () => {
  const world = await open();
  const more = { includeSynonyms: true, includeDocumentation: true };
  const answer = await world.ask(
    'DescribeConfigs',
    4,
    requestOf([resource(2, 'a', ['retention.ms', 'no.such'])], more),
  );
  expect(resultsOf(answer)[0]!.configs).toEqual([
    expect.objectContaining({
      name: 'retention.ms',
      synonyms: [expect.objectContaining({ name: 'log.retention.ms', source: 5 })],
      documentation: expect.stringMatching(/\w/),
    }),
  ]);
});

test('a broker tells of itself alone, what is not there is refused, and what stands twice is told once', async () => {
  const world = await open();
  const own = String(world.world.broker.nodeId);
  const answer = await world.ask(
    'DescribeConfigs',
    4,
    requestOf([
      resource(4, own),
      resource(4, '77'),
      resource(4, ''),
      resource(8, own),
      resource(2, 'nowhere'),
      resource(2, 'a/b'),
      resource(2, 'a'),
      resource(2, 'a'),
    ]),
  );
  expect(resultsOf(answer).map(({ errorCode }) => errorCode)).toEqual([0, 42, 0, 42, 3, 17, 0]);
  expect(resultsOf(answer)[2]!.configs).toEqual([]);
});
