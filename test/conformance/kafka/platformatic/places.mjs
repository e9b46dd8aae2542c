// Where @platformatic/kafka connects to, and what it is told there.
import { createRequire } from 'node:module';
import { tlsOf } from '../harness/listeners.mjs';

const require = createRequire(process.env.CLIENT_PACKAGES);
const { Admin } = await import(require.resolve('@platformatic/kafka'));

export function optionsAt(place) {
  const tls = tlsOf(place);
  return {
    ...{ clientId: 'conformance', bootstrapBrokers: [place.server], retries: 3, retryDelay: 100 },
    ...(tls === undefined ? {} : { tls }),
  };
}

/** The addresses of the brokers in its metadata. */
export async function told(place) {
  const admin = new Admin(optionsAt(place));
  try {
    const { brokers } = await admin.metadata({ topics: [] });
    return [...brokers.values()].map((each) => `${each.host}:${each.port}`);
  } finally {
    await admin.close();
  }
}
