/** Where the logs of a directory tell what happened; a `Logger` of telemetry is one. */
export interface LogReporter {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
