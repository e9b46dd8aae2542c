import { fileURLToPath } from 'node:url';

/**
 * The folder of the `.proto` files. It stands beside `src/` in the sources and beside `dist/` in the
 * installed package, so the way to it is the same.
 */
export const protoDirectory = (): string => fileURLToPath(new URL('../../proto', import.meta.url));
