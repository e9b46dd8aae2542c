import { Errors } from '../model/errors.ts';

/** How the command `varve` ends; part of its interface, shown by `varve --help`. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  timeout: 5,
  conflict: 6,
  /** `EX_CONFIG` of sysexits: only `varve start`. */
  badConfig: 78,
} as const;

/** What the numbers say, for the help. A signal that ends a command gives 128 and its number. */
export const exitCodeHelp: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done; for start: stopped by a signal'],
  ['1', 'failed'],
  ['2', 'wrong usage'],
  ['3', 'no such topic or node'],
  ['4', 'the broker refuses it'],
  ['5', 'not done in time'],
  ['6', 'exists already'],
  ['78', 'start: a setting is wrong'],
  ['130, 143', 'ended by SIGINT, SIGTERM'],
];

/** A failure with the one line that people are told and the code that scripts are told. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The reason with which a command is told to end by a signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signalName: InterruptSignal;

  constructor(signalName: InterruptSignal) {
    super(`ended by ${signalName}`);
    this.signalName = signalName;
  }

  /** What a shell reports for a process that the signal ended. */
  get exitCode(): number {
    return 128 + interruptSignals[this.signalName];
  }
}

/** The signals that end a command, with their numbers. */
export const interruptSignals = { SIGINT: 2, SIGTERM: 15 } as const;
export type InterruptSignal = keyof typeof interruptSignals;

/** Codes that the client gives errors of its own; the others are rows of the error table. */
const clientExitCodes: ReadonlyMap<string, number> = new Map([
  ['INVALID_ARGUMENT', ExitCode.usage],
  ['BUFFER_FULL', ExitCode.timeout],
  ['DELIVERY_TIMEOUT', ExitCode.timeout],
  ['OUTCOME_UNKNOWN', ExitCode.timeout],
]);

/** The exit code for whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError || error instanceof Interrupted) return error.exitCode;
  // Told by its code, so that nothing of the client is loaded for it.
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return ExitCode.failure;
  return clientExitCodes.get(code) ?? exitCodeOfRow(code);
}

function exitCodeOfRow(name: string): number {
  const row = Object.hasOwn(Errors, name) ? Errors[name as keyof typeof Errors] : undefined;
  switch (row?.grpc) {
    case 'NOT_FOUND':
      return ExitCode.notFound;
    case 'DEADLINE_EXCEEDED':
      return ExitCode.timeout;
    case 'ALREADY_EXISTS':
      return ExitCode.conflict;
    case 'INVALID_ARGUMENT':
    case 'FAILED_PRECONDITION':
    case 'OUT_OF_RANGE':
    case 'PERMISSION_DENIED':
    case 'UNAUTHENTICATED':
      // What may pass by itself is no refusal.
      return row.retriable ? ExitCode.failure : ExitCode.refused;
    default:
      return ExitCode.failure;
  }
}
