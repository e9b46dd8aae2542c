/** What a line of the log carries beside its message. An error goes under `err`. Never payloads or keys. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * A structured log. The message is constant text and everything variable is a field, so that lines
 * can be searched and counted.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose lines all carry `bindings`. */
  child(bindings: LogFields): Logger;
}

/** Writes nothing. The default of the client library and of tests. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
