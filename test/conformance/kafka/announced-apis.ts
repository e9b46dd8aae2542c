import { ask } from './raw-request.ts';

const API_VERSIONS = 18;
/** Key, first and last version. */
const ENTRY_BYTES = 6;

/** Whether a server announces an API, by version 0 of ApiVersions. */
export async function serves(server: string, apiKey: number): Promise<boolean> {
  const answer = await ask(server, API_VERSIONS, 0, []);
  const count = answer.readInt32BE(2);
  const keys = Array.from({ length: count }, (_, at) => answer.readInt16BE(6 + at * ENTRY_BYTES));
  return keys.includes(apiKey);
}
