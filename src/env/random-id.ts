import type { Random } from './ports.ts';

/** 128 random bits as 22 characters of base64url, as Kafka writes ids (`Uuid`). */
export const randomId = (random: Random): string =>
  Buffer.from(random.bytes(16)).toString('base64url');
