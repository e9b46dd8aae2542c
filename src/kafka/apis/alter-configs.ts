import { type Api, api } from '../api.ts';
import { alteredResources, alterResources } from '../config-resources.ts';
import { array, bool, int8, int32, string } from '../fields.ts';

const request = {
  resources: array('0+', {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    configs: array('0+', { name: string('0+'), value: string('0+', { nullable: '0+' }) }),
  }),
  validateOnly: bool('0+'),
};

const response = {
  throttleTimeMs: int32('0+'),
  responses: alteredResources,
};

/** Says what all settings of resources are to be: those that are not named go back to their defaults. */
export const alterConfigs: Api = api(
  { key: 33, name: 'AlterConfigs', versions: '0-2', flexible: '2+', request, response },
  async ({ resources, validateOnly }, context) => ({
    throttleTimeMs: 0,
    responses: await alterResources(
      resources,
      ({ resourceName, configs }) => ({
        name: resourceName,
        replacement: configs.map(({ name, value }) => ({ key: name, value })),
      }),
      validateOnly,
      context,
    ),
  }),
);
