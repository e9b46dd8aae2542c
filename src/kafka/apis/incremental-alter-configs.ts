import type { ConfigChanges } from '../../controller/config-changes.ts';
import { refuse } from '../../controller/refusal.ts';
import { type Api, api } from '../api.ts';
import { alteredResources, alterResources } from '../config-resources.ts';
import { array, bool, int8, int32, type MessageOf, string } from '../fields.ts';

const request = {
  resources: array('0+', {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    configs: array('0+', {
      name: string('0+'),
      configOperation: int8('0+'),
      value: string('0+', { nullable: '0+' }),
    }),
  }),
  validateOnly: bool('0+'),
};

const response = {
  throttleTimeMs: int32('0+'),
  responses: alteredResources,
};

type Resource = MessageOf<typeof request>['resources'][number];

/** In the order of Kafka's numbers (`AlterConfigOp.OpType`). */
const operations = ['set', 'delete', 'append', 'subtract'] as const;

/** Changes settings of resources one by one (KIP-339). */
export const incrementalAlterConfigs: Api = api(
  {
    key: 44,
    name: 'IncrementalAlterConfigs',
    versions: '0-1',
    flexible: '1+',
    request,
    response,
  },
  async ({ resources, validateOnly }, context) => ({
    throttleTimeMs: 0,
    responses: await alterResources(resources, changesOf, validateOnly, context),
  }),
);

function changesOf({ resourceName, configs }: Resource): ConfigChanges | ReturnType<typeof refuse> {
  const unknown = configs.find(({ configOperation }) => operations[configOperation] === undefined);
  if (unknown !== undefined) {
    const { name, configOperation } = unknown;
    return refuse(
      'INVALID_REQUEST',
      `${name.slice(0, 100)}: ${configOperation} is no operation; 0 sets, 1 deletes, 2 appends, 3 subtracts`,
    );
  }
  return {
    name: resourceName,
    operations: configs.map(({ name, configOperation, value }) => ({
      key: name,
      operation: operations[configOperation]!,
      value,
    })),
  };
}
