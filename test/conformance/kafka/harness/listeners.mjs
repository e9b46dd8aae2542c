// What clients do in a cluster, and at listeners that have names, advertised addresses, and TLS.
import { readFileSync } from 'node:fs';
import { equal, feature, holds, job, sleep, topicName, unsupported } from './features.mjs';

/** Longer than the programs let a client try. */
const REFUSAL_MS = 30_000;
/** A client does not trust the broker. */
const UNTRUSTED = /certificate verify failed|unable to verify/;
/** The broker demands a certificate that a client does not show. */
const UNPROVEN = /certificate.required|bad.certificate/i;

/** Of a place, in the words of Node; undefined for a plain one. */
export const tlsOf = ({ ca, cert, key }) =>
  ca && {
    ca: [readFileSync(ca)],
    ...(cert ? { cert: readFileSync(cert), key: readFileSync(key) } : {}),
  };

/** The message of an error and of all that caused it. */
const whole = ({ message, errors = [], cause }) =>
  [message, ...errors.map(whole), ...(cause instanceof Error ? [whole(cause)] : [])].join(': ');

/**
 * Four features, by what a client can do at a place `{ server, ca?, cert?, key? }`; the last three are files.
 * `told(place)` are the addresses of the brokers in its metadata; `roundTrip(place, topic)` writes to its first
 * partition, reads it and compares; `unproven` matches what a client says when it shows no certificate and must.
 */
export async function listenerFeatures({ told, roundTrip, unproven = UNPROVEN }) {
  const { certificates } = job;
  const listeners = () => job.listeners ?? unsupported('the listeners are not ours to configure');

  async function isRefused(place, expected, what) {
    const attempt = told(place).then(
      (found) => `it was told ${found}`,
      (error) => error,
    );
    const end = await Promise.race([attempt, sleep(REFUSAL_MS)]);
    holds(end instanceof Error, `${what}: ${end ?? `no end within ${REFUSAL_MS / 1_000} s`}`);
    holds(expected.test(whole(end)), `${what}: the error is ${whole(end)}`);
  }

  await feature('three brokers', async () => {
    const { servers, topics } = job.cluster ?? unsupported('the server has no cluster beside it');
    for (const server of servers) {
      equal((await told({ server })).sort(), [...servers].sort(), `what was told at ${server}`);
    }
    for (const { topic, server } of topics) await roundTrip({ server }, topic);
  });
  await feature('named listeners', async () => {
    for (const [number, { server, advertised }] of listeners().named.entries()) {
      equal(await told({ server }), [advertised], `what was told at ${server}`);
      await roundTrip({ server }, topicName(`listeners-${number}`));
    }
  });
  await feature('TLS', async () => {
    const server = listeners().tls;
    const place = { server, ca: certificates.ca };
    equal(await told(place), [server], 'what was told');
    await roundTrip(place, topicName('tls'));
    await isRefused({ server, ca: certificates.otherCa }, UNTRUSTED, 'with another authority');
  });
  await feature('mutual TLS', async () => {
    const server = listeners().mutualTls;
    const { ca, client, stranger } = certificates;
    const place = { server, ca, ...client };
    equal(await told(place), [server], 'what was told');
    await roundTrip(place, topicName('mutual-tls'));
    await isRefused({ server, ca }, unproven, 'without a certificate');
    // Not every server says why it hangs up.
    await isRefused({ server, ca, ...stranger }, /./, 'with a certificate of another authority');
  });
}
