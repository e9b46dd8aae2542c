import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { ExitCode, exitCodeOf, Interrupted } from './exit-code.ts';
import { OutputClosedError } from './output.ts';
import { buildProgram } from './program.ts';

/** Runs one command line (without node and script) and returns the exit code; never fails. */
export async function runCommandLine(
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  try {
    await buildProgram(context, args[0]).parseAsync(args, { from: 'user' });
    return ExitCode.ok;
  } catch (error) {
    return reportError(error, context);
  }
}

function reportError(error: unknown, { errors, variables }: CommandContext): number {
  // It has told already, help and version included: those are no errors.
  if (error instanceof CommanderError) return isAnswer(error) ? ExitCode.ok : ExitCode.usage;
  if (error instanceof OutputClosedError) return ExitCode.ok;
  if (error instanceof Interrupted) return error.exitCode;
  const text = error instanceof Error ? error.message : String(error);
  errors.tell(`varve: ${oneLine(text)}\n`);
  if (variables['VARVE_DEBUG'] === '1') errors.tell(`${inspect(error)}\n`);
  return exitCodeOf(error);
}

/** `--help` and `--version`; help that is shown for want of a command is a mistake, and code 1. */
const isAnswer = ({ exitCode }: CommanderError): boolean => exitCode === 0;

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim();
