import { Errors } from '../../model/errors.ts';
import { type Api, api } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../fields.ts';
import { includes, type VersionRange, versions } from '../versions.ts';

const KEY = 18;
const SERVED = '0-4';

const request = {
  clientSoftwareName: string('3+'),
  clientSoftwareVersion: string('3+'),
};

const response = {
  errorCode: int16('0+'),
  apiKeys: array('0+', {
    apiKey: int16('0+'),
    minVersion: int16('0+'),
    maxVersion: int16('0+'),
  }),
  throttleTimeMs: int32('1+'),
  supportedFeatures: array(
    '3+',
    { name: string('3+'), minVersion: int16('3+'), maxVersion: int16('3+') },
    { tag: 0 },
  ),
  finalizedFeaturesEpoch: int64('3+', { tag: 1, default: -1 }),
  finalizedFeatures: array(
    '3+',
    { name: string('3+'), maxVersionLevel: int16('3+'), minVersionLevel: int16('3+') },
    { tag: 2 },
  ),
  zkMigrationReady: bool('3+', { tag: 3 }),
};

/** What a client may say that it is (KIP-511). */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** Says which versions of which APIs are served. */
export function apiVersions(
  others: readonly { readonly key: number; readonly versions: VersionRange }[],
): Api {
  const served = versions(SERVED);
  const apiKeys = [...others, { key: KEY, versions: served }]
    .sort((a, b) => a.key - b.key)
    .map(({ key, versions: { first, last } }) => ({
      apiKey: key,
      minVersion: first,
      maxVersion: last,
    }));
  const nothing = {
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  };
  return api(
    {
      key: KEY,
      name: 'ApiVersions',
      versions: SERVED,
      flexible: '3+',
      // A client that does not know which version it was answered in has to be able to read it.
      hasFlexibleHeader: false,
      request,
      response,
    },
    async ({ clientSoftwareName, clientSoftwareVersion }, { version }) => {
      if (!includes(served, version)) {
        const own = apiKeys.filter(({ apiKey }) => apiKey === KEY);
        return { ...nothing, errorCode: Errors.UNSUPPORTED_VERSION.code, apiKeys: own };
      }
      const isNamed = SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion);
      if (version >= 3 && !isNamed) {
        return { ...nothing, errorCode: Errors.INVALID_REQUEST.code, apiKeys: [] };
      }
      return { ...nothing, errorCode: Errors.NONE.code, apiKeys };
    },
  );
}
