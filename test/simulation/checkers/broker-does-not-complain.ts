import type { History } from '../history.ts';

/**
 * No crash makes the broker refuse its data directory, call a log damaged, set a folder aside as
 * unknown, or meet an error that it did not expect: a power cut damages nothing that was promised.
 */
export function brokerDoesNotComplain(history: History): string[] {
  return history.complaints;
}
