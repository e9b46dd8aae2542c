import { type ConfigEntry, configTypes } from '../../broker/config-entry.ts';
import type { Refusal } from '../../controller/refusal.ts';
import { topicByName } from '../../metadata/image.ts';
import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { configSourceOf, refusedResource, TOPIC } from '../config-resources.ts';
import { array, arrayOf, bool, int8, int16, int32, type MessageOf, string } from '../fields.ts';
import { codeOf, textOf } from '../kafka-errors.ts';
import type { RequestContext } from '../request-context.ts';
import { unknownTopicRow } from '../topics.ts';
import { STRING } from '../wire-types.ts';

const request = {
  resources: array('0+', {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    configurationKeys: arrayOf('0+', STRING, { nullable: '0+' }),
  }),
  includeSynonyms: bool('1+'),
  includeDocumentation: bool('3+'),
};

const response = {
  throttleTimeMs: int32('0+'),
  results: array('0+', {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    configs: array('0+', {
      name: string('0+'),
      value: string('0+', { nullable: '0+' }),
      readOnly: bool('0+'),
      configSource: int8('1+', { default: -1 }),
      isSensitive: bool('0+'),
      synonyms: array('1+', {
        name: string('1+'),
        value: string('1+', { nullable: '0+' }),
        source: int8('1+'),
      }),
      configType: int8('3+'),
      documentation: string('3+', { nullable: '0+' }),
    }),
  }),
};

type Request = MessageOf<typeof request>;
type Resource = Request['resources'][number];
type Entry = ConfigEntry<string | null>;
type Config = MessageOf<typeof response>['results'][number]['configs'][number];

/** Says which settings topics and this broker have, and where their values come from. */
export const describeConfigs: Api = api(
  { key: 32, name: 'DescribeConfigs', versions: '1-4', flexible: '4+', request, response },
  async (given, context) => ({
    throttleTimeMs: 0,
    results: distinct(given.resources).map((resource) => {
      const { resourceType, resourceName, configurationKeys } = resource;
      const entries = entriesOf(resource, context);
      const about = { resourceType, resourceName };
      if ('row' in entries) {
        const { row, detail } = entries;
        return { ...about, errorCode: codeOf(row), errorMessage: textOf(row, detail), configs: [] };
      }
      const wanted = new Set(configurationKeys ?? []);
      const configs = entries
        .filter(({ name }) => wanted.size === 0 || wanted.has(name))
        .map((entry) => configOf(entry, given));
      return { ...about, errorCode: Errors.NONE.code, errorMessage: null, configs };
    }),
  }),
);

/** A short request can repeat a resource very often, and each would be answered at length. */
const distinct = (resources: readonly Resource[]): Resource[] => [
  ...new Map(resources.map((one) => [`${one.resourceType} ${one.resourceName}`, one])).values(),
];

function entriesOf(resource: Resource, context: RequestContext): readonly Entry[] | Refusal {
  const refusal = refusedResource(resource, context);
  if (refusal !== null) return refusal;
  const { resourceType, resourceName } = resource;
  const { broker } = context;
  if (resourceType !== TOPIC) {
    // What all brokers have in common could only be set by requests, which brokers refuse.
    return resourceName === '' ? [] : broker.describeBrokerConfigs();
  }
  const topic = topicByName(broker.image, resourceName);
  if (topic !== undefined) return broker.describeConfigs(topic);
  const row = unknownTopicRow(resourceName);
  return { row, detail: row.message };
}

const configOf = (entry: Entry, { includeSynonyms, includeDocumentation }: Request): Config => ({
  name: entry.name,
  value: entry.value,
  readOnly: entry.isReadOnly,
  configSource: configSourceOf(entry.source),
  isSensitive: entry.isSensitive,
  synonyms: includeSynonyms
    ? entry.synonyms.map(({ name, value, source }) => ({
        name,
        value,
        source: configSourceOf(source),
      }))
    : [],
  configType: configTypes[entry.type],
  documentation: includeDocumentation ? entry.documentation : null,
});
