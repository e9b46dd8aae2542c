import { pino } from 'pino';
import type { Logger } from './logger.ts';

/** Least severity that is written. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface PinoLoggerOptions {
  readonly level: LogLevel;
  /** A standard stream of the process, or what takes lines instead (they end with a line feed). */
  readonly destination: 'stdout' | 'stderr' | { write(line: string): void };
}

/**
 * One JSON object a line: `level` by name, `time` in ISO 8601, the fields, `msg`. Errors under `err`
 * carry type, message, stack, own fields and their chain of causes. Lines are written at once, so
 * the last one before a crash is there; a broker logs events, not requests, and can afford it.
 */
export function pinoLogger(options: PinoLoggerOptions): Logger {
  const { level, destination } = options;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    typeof destination === 'string'
      ? pino.destination({ dest: destination === 'stdout' ? 1 : 2, sync: true })
      : destination,
  );
}
