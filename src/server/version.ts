import { createRequire } from 'node:module';

/** Version of this package, for people and for `GetCapabilities`. */
export const SERVER_VERSION: string = (
  createRequire(import.meta.url)('../../package.json') as { version: string }
).version;
