import { Command, Option } from 'commander';
import { SERVER_VERSION } from '../server/version.ts';
import type { CommandContext } from './command-context.ts';
import type { ConsumeOptions } from './commands/consume.ts';
import type { LogAdoptOptions } from './commands/log-adopt.ts';
import type { LogDumpOptions } from './commands/log-dump.ts';
import type { LogVerifyOptions } from './commands/log-verify.ts';
import type { OffsetsOptions } from './commands/offsets.ts';
import type { ProduceOptions } from './commands/produce.ts';
import type { StartCommandOptions } from './commands/start.ts';
import type { TopicAlterOptions } from './commands/topic-alter.ts';
import type { TopicCreateOptions } from './commands/topic-create.ts';
import type { TopicDeleteOptions } from './commands/topic-delete.ts';
import type { TopicDescribeOptions } from './commands/topic-describe.ts';
import type { TopicListOptions } from './commands/topic-list.ts';
import { BROKERS_VARIABLE, DEFAULT_BROKERS } from './connection.ts';
import { exitCodeHelp } from './exit-code.ts';
import {
  addItem,
  addKeyValue,
  brokerList,
  duration,
  someText,
  startPosition,
  wholeNumber,
} from './option-values.ts';
import { START_POSITION_FORMS } from './start-position.ts';

/**
 * The commands with their arguments and options: what the help shows and the completion knows. What a
 * command does stands in `commands/` and is loaded when it is called: help must not load grpc-js.
 */
export function buildProgram(context: CommandContext): Command {
  const program = new Command('varve')
    .description('A partitioned commit log: run a broker, make topics, write and read records.')
    .version(SERVER_VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.output.tell(text),
      writeErr: (text) => context.errors.tell(text),
      getOutHelpWidth: () => context.output.columns,
      getErrHelpWidth: () => context.errors.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(usageError(text)),
    })
    .addHelpText('after', `\nExit codes:\n${exitCodeLines()}`);
  addStart(program, context);
  addTopic(program, context);
  addProduce(program, context);
  addConsume(program, context);
  addOffsets(program, context);
  addLog(program, context);
  addConfig(program, context);
  addCompletion(program, context);
  return program;
}

function addStart(program: Command, context: CommandContext): void {
  program
    .command('start')
    .description('run a broker until it is told to stop')
    .requiredOption('--data-dir <DIR>', 'folder of all its data; made if it is not there', someText)
    .option('--grpc <HOST:PORT>', 'where to serve clients (default: 127.0.0.1:9095)')
    .option(
      '--kafka <HOST:PORT>',
      'where to serve Kafka clients; empty for nowhere (default: 127.0.0.1:9092)',
    )
    .option('--http <HOST:PORT>', 'where to serve metrics and health (default: 127.0.0.1:9644)')
    .option('--config <FILE>', 'settings as YAML or JSON (or VARVE_CONFIG)')
    .option('--set <KEY=VALUE>', 'one setting (see: varve config docs); may be repeated', addItem)
    .option('--insecure', 'allow everybody who reaches it to do anything')
    .option('--node-id <N>', 'number of this node (default: 1)', wholeNumber(0))
    .option('--json', 'print one line of JSON when ready')
    .action(async (options: StartCommandOptions) => {
      const { start } = await import('./commands/start.ts');
      await start(options, context);
    });
}

function addTopic(program: Command, context: CommandContext): void {
  const topic = addGroup(program, 'topic', 'make, show, change and delete topics');
  const create = topic
    .command('create')
    .description('make a topic')
    .argument('<NAME>')
    .option('--partitions <N>', "number of partitions (default: the broker's)", wholeNumber(1))
    .option('--replication-factor <N>', "copies (default: the broker's)", wholeNumber(1, 32_767))
    .option('--config <KEY=VALUE>', 'a setting of the topic; may be repeated', addKeyValue)
    .option('--json', 'print JSON');
  addConnection(create).action(async (name: string, options: TopicCreateOptions) => {
    const { createTopic } = await import('./commands/topic-create.ts');
    await createTopic(name, options, context);
  });
  const list = topic.command('list').description('list all topics').option('--json', 'print JSON');
  addConnection(list).action(async (options: TopicListOptions) => {
    const { listTopics } = await import('./commands/topic-list.ts');
    await listTopics(options, context);
  });
  addTopicOfNames(topic, context);
}

function addTopicOfNames(topic: Command, context: CommandContext): void {
  const describe = topic
    .command('describe')
    .description('show partitions and settings of topics')
    .argument('<NAME...>')
    .option('--json', 'print JSON');
  addConnection(describe).action(async (names: string[], options: TopicDescribeOptions) => {
    const { describeTopics } = await import('./commands/topic-describe.ts');
    await describeTopics(names, options, context);
  });
  const alter = topic
    .command('alter')
    .description('change a topic')
    .argument('<NAME>')
    .option('--partitions <N>', 'number of partitions, more than now', wholeNumber(1))
    .option('--config <KEY=VALUE>', 'a setting to set; may be repeated', addKeyValue)
    .option('--unset <KEY>', 'a setting to put back to its default; may be repeated', addItem)
    .option('--json', 'print JSON');
  addConnection(alter).action(async (name: string, options: TopicAlterOptions) => {
    const { alterTopic } = await import('./commands/topic-alter.ts');
    await alterTopic(name, options, context);
  });
  const remove = topic
    .command('delete')
    .description('delete topics with all their records')
    .argument('<NAME...>')
    .option('--json', 'print JSON');
  addConnection(remove).action(async (names: string[], options: TopicDeleteOptions) => {
    const { deleteTopics } = await import('./commands/topic-delete.ts');
    await deleteTopics(names, options, context);
  });
}

function addProduce(program: Command, context: CommandContext): void {
  const command = program
    .command('produce')
    .description('write records, one a line of standard input')
    .argument('<TOPIC>')
    .option('--file <F>', 'read this file instead')
    .option('--key-separator <S>', 'what stands between key and value in a line', someText)
    .addOption(
      new Option('--compression <C>', 'how batches are compressed')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
    )
    .addOption(
      new Option('--acks <WHO>', 'who must have a record: all replicas in sync, or their leader')
        .choices(['all', 'leader'])
        .default('all'),
    )
    .option('--partition <P>', 'write to this partition only', wholeNumber(0))
    .addOption(
      new Option('--timeout <T>', 'how long to retry a record')
        .argParser(duration)
        .default(120_000, '120s'),
    )
    .option('--json', 'print {"line":…,"partition":…,"offset":…} per acknowledged record');
  addConnection(command).action(async (topic: string, options: ProduceOptions) => {
    const { produce } = await import('./commands/produce.ts');
    await produce(topic, options, context);
  });
}

function addConsume(program: Command, context: CommandContext): void {
  const command = program
    .command('consume')
    .description('print records as they arrive')
    .argument('<TOPIC>')
    .option('--partition <P>', 'read this partition only', wholeNumber(0))
    .option(
      '--from <WHERE>',
      `${START_POSITION_FORMS} (default: latest, or earliest with --until-end)`,
      startPosition,
    )
    .option('--until-end', 'stop after the last record that was there at the start')
    .option('--max-records <N>', 'stop after so many', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .addOption(
      new Option('--format <F>', 'the bytes of the value and a line feed, or a line of JSON')
        .choices(['value', 'json'])
        .default('value'),
    )
    .option('--key-separator <S>', 'with the value format: print the key and this first', someText)
    .addHelpText('after', `\n${CONSUME_JSON_HELP}`);
  addConnection(command).action(async (topic: string, options: ConsumeOptions) => {
    const { consume } = await import('./commands/consume.ts');
    await consume(topic, options, context);
  });
}

const CONSUME_JSON_HELP =
  'JSON: {"partition","offset","timestamp","key","value","headers"}, the timestamp in ms since 1970;\n' +
  'what is not UTF-8 stands as base64 under "keyBase64" or "valueBase64" instead.';

function addOffsets(program: Command, context: CommandContext): void {
  const command = program
    .command('offsets')
    .description('show the first and the next offset of partitions')
    .argument('<TOPIC>')
    .option('--json', 'print JSON');
  addConnection(command).action(async (topic: string, options: OffsetsOptions) => {
    const { showOffsets } = await import('./commands/offsets.ts');
    await showOffsets(topic, options, context);
  });
}

const ADOPT_HELP = `
Stop the Kafka. Make the topic here with as many partitions and its retention (varve topic
create), and stop the node. Copy each partition (cp -r KAFKA-LOG-DIR/TOPIC-0 DIR/), then run
this, and start the node. Topics that Kafka has compacted, and logs with records of
transactions that were not committed, cannot be adopted; records that were deleted
(kafka-delete-records) and share a segment with later ones are there again.`;

function addLog(program: Command, context: CommandContext): void {
  const log = addGroup(
    program,
    'log',
    "look into partitions' folders without a broker; also Kafka's",
  );
  log
    .command('dump')
    .description('show the batches')
    .argument('<DIR>', 'folder of a partition, or data directory')
    .option('--records', 'show the records of each batch, too')
    .option('--json', 'print JSON')
    .action(async (path: string, options: LogDumpOptions) => {
      const { dumpLog } = await import('./commands/log-dump.ts');
      await dumpLog(path, options, context);
    });
  log
    .command('verify')
    .description('check batches, indexes and snapshots')
    .argument('<DIR>', 'folder of a partition, or data directory')
    .option('--json', 'print JSON')
    .action(async (path: string, options: LogVerifyOptions) => {
      const { verifyLog } = await import('./commands/log-verify.ts');
      await verifyLog(path, options, context);
    });
  log
    .command('adopt')
    .description("make partitions of a Kafka this node's, after their folders were copied in")
    .argument('<DIR>', 'data directory of a node that is stopped')
    .option('--node-id <N>', 'number of the node (default: 1)', wholeNumber(0))
    .option('--json', 'print JSON')
    .addHelpText('after', ADOPT_HELP)
    .action(async (path: string, options: LogAdoptOptions) => {
      const { adoptFolders } = await import('./commands/log-adopt.ts');
      await adoptFolders(path, options, context);
    });
}

function addConfig(program: Command, context: CommandContext): void {
  const config = addGroup(program, 'config', 'about the settings of a broker');
  config
    .command('docs')
    .description('print all settings as a table in Markdown')
    .action(async () => {
      const { showSettings } = await import('./commands/config-docs.ts');
      await showSettings(context);
    });
}

function addCompletion(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(program.createArgument('<SHELL>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionScript } = await import('./completion.ts');
      await context.output.write(completionScript(shell, program));
    });
}

/** A command that only holds others. */
const addGroup = (program: Command, name: string, description: string): Command =>
  program.command(name).description(description).helpCommand(false);

/** The options of all commands that talk to a broker, below their own. */
const addConnection = (command: Command): Command =>
  command
    .option(
      '--brokers <HOST:PORT,…>',
      `brokers to begin with (default: ${DEFAULT_BROKERS}, or ${BROKERS_VARIABLE})`,
      brokerList,
    )
    .option('--tls-ca <FILE>', 'authorities to trust, as PEM; switches TLS on')
    .option('--tls-cert <FILE>', 'certificate to present, as PEM')
    .option('--tls-key <FILE>', 'private key of the certificate, as PEM');

const exitCodeLines = (): string =>
  exitCodeHelp.map(([code, meaning]) => `  ${code.padEnd(8)}  ${meaning}`).join('\n');

/** Commander's message as one line like ours; it ends sentences, and hints on a line of their own. */
function usageError(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replace(/is invalid\. (\w)/, (_, first: string) => `is invalid: ${first.toLowerCase()}`)
    .replace(/\.$/, '')
    .replace(/\n+/g, ' ');
  return `varve: ${line}\n`;
}
