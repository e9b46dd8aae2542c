import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

/** What was logged. */
export interface LogLine {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string;
}

/** A logger that writes to `lines`; its children do, too. */
export function recordingLogger(lines: LogLine[]): Logger {
  const line =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      lines.push({ level, fields, message });
    };
  const logger: Logger = {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: () => logger,
  };
  return logger;
}
