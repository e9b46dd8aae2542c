import type { ConfigSource } from '../broker/config-entry.ts';
import type { ChangedTopic } from '../controller/change-topics.ts';
import type { ConfigChanges } from '../controller/config-changes.ts';
import { type Refusal, refuse } from '../controller/refusal.ts';
import { array, type Field, int8, int16, string } from './fields.ts';
import { errorFields, outcomeOf } from './kafka-errors.ts';
import type { RequestContext } from './request-context.ts';

/** What has settings, by Kafka's numbers (`ConfigResource.Type`). */
export interface ConfigResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

export const TOPIC = 2;
export const BROKER = 4;

/** Kafka's numbers for where the value of a setting comes from (`DescribeConfigsResponse.ConfigSource`). */
const sources: { readonly [source in ConfigSource]: number } = { topic: 1, broker: 4, default: 5 };

export const configSourceOf = (source: ConfigSource): number => sources[source];

/** Why a resource has no settings here; null if it is a topic or this broker. */
export function refusedResource(
  { resourceType, resourceName }: ConfigResource,
  { broker }: RequestContext,
): Refusal | null {
  if (resourceType === TOPIC) return null;
  if (resourceType !== BROKER) {
    return refuse(
      'INVALID_REQUEST',
      `resources of type ${resourceType} have no settings here; topics (${TOPIC}) and brokers (${BROKER}) do`,
    );
  }
  // An empty name stands for what all brokers have in common.
  if (resourceName === '' || resourceName === String(broker.nodeId)) return null;
  const shown = JSON.stringify(resourceName.slice(0, 20));
  return refuse(
    'INVALID_REQUEST',
    `ask broker ${shown} for its settings, this is ${broker.nodeId}`,
  );
}

/** What is answered of one resource whose settings were to be changed. */
export interface AlteredResource extends ConfigResource {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** How both ways to change settings are answered. */
export const alteredResources: Field<readonly AlteredResource[]> = array('0+', {
  errorCode: int16('0+'),
  errorMessage: string('0+', { nullable: '0+' }),
  resourceType: int8('0+'),
  resourceName: string('0+'),
});

/** Changes the settings of all topics among the resources, in one step; all else is refused. */
export async function alterResources<Resource extends ConfigResource>(
  resources: readonly Resource[],
  changesOf: (resource: Resource) => ConfigChanges | Refusal,
  validateOnly: boolean,
  context: RequestContext,
): Promise<AlteredResource[]> {
  const { broker } = context;
  const plans = resources.map((resource) => {
    const refusal = refusedResource(resource, context);
    if (refusal !== null) return refusal;
    return resource.resourceType === BROKER ? broker.alterBrokerConfigs() : changesOf(resource);
  });
  const changes = plans.filter((plan): plan is ConfigChanges => !('row' in plan));
  const changed = await alterTopics(changes, validateOnly, context);
  let next = 0;
  return resources.map(({ resourceType, resourceName }, at) => {
    const plan = plans[at]!;
    const error = 'row' in plan ? plan : changed[next++]!.error;
    return {
      resourceType,
      resourceName,
      ...errorFields(error),
    };
  });
}

async function alterTopics(
  changes: readonly ConfigChanges[],
  validateOnly: boolean,
  { broker }: RequestContext,
): Promise<readonly ChangedTopic[]> {
  if (changes.length === 0) return [];
  try {
    return await broker.alterTopicConfigs(changes, validateOnly);
  } catch (thrown) {
    const error = outcomeOf(thrown);
    return changes.map(({ name }) => ({ name, error }));
  }
}
