import { type Refusal, refuse } from './refusal.ts';

/** A folder name `<topic>-<partition>` has to fit in 255 bytes. */
const MAX_LENGTH = 249;

/** Kafka's rule of topic names (`Topic.validate`); null if the name keeps it. */
export function checkTopicName(name: string): Refusal | null {
  if (name === '') return invalid('a topic name cannot be empty');
  if (name.length > MAX_LENGTH) {
    return invalid(`a topic name has ${name.length} characters, at most ${MAX_LENGTH} are allowed`);
  }
  if (name === '.' || name === '..') return invalid(`a topic cannot be named "${name}"`);
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return invalid(
      `topic name ${JSON.stringify(name)} has characters other than a-z, A-Z, 0-9, ".", "_" and "-"`,
    );
  }
  return null;
}

const invalid = (detail: string): Refusal => refuse('INVALID_TOPIC_EXCEPTION', detail);
