import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { ExitCode, exitCodeHelp } from '../../../src/cli/exit-code.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { SERVER_VERSION } from '../../../src/server/version.ts';
import { BrokenPipe, varve } from './run-varve.ts';

const program = buildProgram({} as never);

/** Every command with the words that call it. */
function commandsOf(command: Command, words: readonly string[] = []): [string[], Command][] {
  return [
    [[...words], command],
    ...command.commands.flatMap((child) => commandsOf(child, [...words, child.name()])),
  ];
}
const commands = commandsOf(program);

test('the commands are those of the documentation', () => {
  const paths = commands.map(([words]) => words.join(' ')).slice(1);
  expect(paths).toEqual([
    'start',
    'local',
    'topic',
    'topic create',
    'topic list',
    'topic describe',
    'topic alter',
    'topic delete',
    'produce',
    'consume',
    'offsets',
    'cluster',
    'cluster describe',
    'quorum',
    'quorum describe',
    'quorum add-voter',
    'quorum remove-voter',
    'quorum transfer',
    'log',
    'log dump',
    'log verify',
    'log adopt',
    'snapshot',
    'snapshot dump',
    'config',
    'config docs',
    'completion',
  ]);
});

test.each(commands)('help of varve %j names its commands and options', async (words, command) => {
  const { code, stdout, stderr } = await varve([...words, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: ${['varve', ...words].join(' ')}`);
  for (const child of command.commands) {
    expect(stdout).toContain(`  ${child.name()}`);
    expect(stdout).toContain(child.description().slice(0, 20));
  }
  for (const { long, description } of command.options) {
    expect(stdout).toContain(long);
    expect(description).not.toBe('');
  }
});

test('help tells all exit codes', async () => {
  const { stdout } = await varve(['--help']);
  for (const [code, meaning] of exitCodeHelp)
    expect(stdout).toMatch(`${code.padEnd(8)}  ${meaning}`);
  const told = exitCodeHelp.map(([code]) => Number(code.split(',')[0]));
  expect(Object.values(ExitCode).filter((code) => !told.includes(code))).toEqual([]);
});

test('--version prints the version and nothing else', async () => {
  expect(await varve(['--version'])).toEqual({
    code: 0,
    stdout: `${SERVER_VERSION}\n`,
    stderr: '',
  });
});

test('help into a pipe that nobody reads is no failure', async () => {
  expect(await varve(['--help'], { stdout: new BrokenPipe(0) })).toMatchObject({ code: 0 });
});

test.each([
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['star'], "unknown command 'star' (Did you mean start?)"],
  [['start'], "required option '--data-dir <DIR>' not specified"],
  [['produce'], "missing required argument 'TOPIC'"],
  [['offsets', 'a', 'b'], /^too many arguments/],
  [['consume', 't', '--fro', 'earliest'], "unknown option '--fro' (Did you mean --from?)"],
  [
    ['consume', 't', '--from', 'first'],
    "option '--from <WHERE>' argument 'first' is invalid: it must be earliest, latest, an offset, a time (2026-01-31T12:00:00Z, 1769860800000ms) or how long ago (-5m)",
  ],
  [
    ['topic', 'create', 't', '--partitions', '0'],
    "option '--partitions <N>' argument '0' is invalid: it must be a whole number from 1 to 2147483647",
  ],
  [
    ['topic', 'create', 't', '--config', 'retention.ms'],
    "option '--config <KEY=VALUE>' argument 'retention.ms' is invalid: it must be key=value",
  ],
  [
    ['produce', 't', '--compression', 'brotli'],
    "option '--compression <C>' argument 'brotli' is invalid: allowed choices are none, gzip, snappy, lz4, zstd",
  ],
  [
    ['produce', 't', '--timeout', 'soon'],
    "option '--timeout <T>' argument 'soon' is invalid: it must be a duration such as 120s or 5m",
  ],
  [
    ['offsets', 't', '--brokers', 'localhost'],
    /^option '--brokers <HOST:PORT,…>' argument 'localhost' is invalid: address "localhost" is not HOST:PORT/,
  ],
])('%j is answered in one line and with 2', async (args, line) => {
  const { code, stdout, stderr } = await varve(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.split('\n')).toHaveLength(2);
  const text = stderr.slice('varve: '.length, -1);
  if (typeof line === 'string') expect(text).toBe(line);
  else expect(text).toMatch(line);
});

test.each([[[]], [['topic']], [['log']]])('varve %j shows its commands and fails', async (args) => {
  const { code, stdout, stderr } = await varve(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('Commands:');
});

test('for a command that is named nothing else is built, and for any other word all of them', () => {
  const built = (name?: string): string[] =>
    buildProgram({} as never, name).commands.map((command) => command.name());
  expect(built('start')).toEqual(['start']);
  expect(built().length).toBeGreaterThan(10);
  for (const name of built()) expect(built(name)).toEqual([name]);
  for (const other of ['strat', '--help', '', 'constructor']) {
    expect(built(other)).toEqual(built());
  }
});
