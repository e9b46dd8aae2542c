import { Command, Option } from 'commander';
import { SERVER_VERSION } from '../server/version.ts';
import type { CommandContext } from './command-context.ts';
import type { ClusterDescribeOptions } from './commands/cluster-describe.ts';
import type { ConsumeOptions } from './commands/consume.ts';
import type { LocalCommandOptions } from './commands/local.ts';
import type { LogAdoptOptions } from './commands/log-adopt.ts';
import type { LogDumpOptions } from './commands/log-dump.ts';
import type { LogVerifyOptions } from './commands/log-verify.ts';
import type { OffsetsOptions } from './commands/offsets.ts';
import type { ProduceOptions } from './commands/produce.ts';
import type { QuorumAddVoterOptions } from './commands/quorum-add-voter.ts';
import type { QuorumDescribeOptions } from './commands/quorum-describe.ts';
import type { QuorumRemoveVoterOptions } from './commands/quorum-remove-voter.ts';
import type { QuorumTransferOptions } from './commands/quorum-transfer.ts';
import type { SnapshotDumpOptions } from './commands/snapshot-dump.ts';
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
 *
 * @param name of the only command that is wanted, if it is one: all of them take a start 4 ms
 */
export function buildProgram(context: CommandContext, name?: string): Command {
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
  const called = commands.get(name ?? '');
  for (const add of called === undefined ? commands.values() : [called]) add(program, context);
  return program;
}

/** In the order of the help. */
const commands: ReadonlyMap<string, (program: Command, context: CommandContext) => void> = new Map([
  ['start', addStart],
  ['local', addLocal],
  ['topic', addTopic],
  ['produce', addProduce],
  ['consume', addConsume],
  ['offsets', addOffsets],
  ['cluster', addCluster],
  ['quorum', addQuorum],
  ['log', addLog],
  ['snapshot', addSnapshot],
  ['config', addConfig],
  ['completion', addCompletion],
]);

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
    .option(
      '--voters <ID@HOST:PORT,...>',
      'nodes that form the cluster, by their peer ports; the same on each',
    )
    .option('--peer <HOST:PORT>', 'where to serve the other nodes (default: 127.0.0.1:9093)')
    .option('--rack <NAME>', 'rack, zone or host of this node')
    .option('--json', 'print one line of JSON when ready')
    .action(async (options: StartCommandOptions) => {
      const { start } = await import('./commands/start.ts');
      await start(options, context);
    });
}

function addLocal(program: Command, context: CommandContext): void {
  program
    .command('local')
    .description('run a cluster on this machine until it is told to stop, for trying it out')
    .option('--nodes <N>', 'number of nodes', wholeNumber(1, 9), 3)
    .option('--data-dir <DIR>', 'folder of all their data', someText, 'varve-data')
    .option('--config <FILE>', 'settings of all of them, as YAML or JSON')
    .option('--set <KEY=VALUE>', 'a setting of all of them; may be repeated', addItem)
    .action(async (options: LocalCommandOptions) => {
      const { local } = await import('./commands/local.ts');
      await local(options, context);
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

function addCluster(program: Command, context: CommandContext): void {
  const describe = addGroup(program, 'cluster', 'about the cluster')
    .command('describe')
    .description('show its id, controller and brokers')
    .option('--json', 'print JSON');
  addConnection(describe).action(async (options: ClusterDescribeOptions) => {
    const { describeCluster } = await import('./commands/cluster-describe.ts');
    await describeCluster(options, context);
  });
}

const QUORUM_HELP = `
A node is sent the metadata as an observer from when it runs; add-voter lets it vote, which
three or five nodes should do. remove-voter takes out a voter, or an observer that is gone.`;

function addQuorum(program: Command, context: CommandContext): void {
  const quorum = addGroup(program, 'quorum', 'show and change who keeps the metadata');
  quorum.addHelpText('after', QUORUM_HELP);
  const describe = quorum
    .command('describe')
    .description('show the leader, the voters and observers, and how far each is')
    .option('--json', 'print JSON');
  addConnection(describe).action(async (options: QuorumDescribeOptions) => {
    const { describeQuorum } = await import('./commands/quorum-describe.ts');
    await describeQuorum(options, context);
  });
  const add = quorum
    .command('add-voter')
    .description('let a node vote that runs as an observer and has caught up')
    .argument('<NODE-ID>', 'number of the node', wholeNumber(0))
    .option('--json', 'print JSON');
  addConnection(add).action(async (nodeId: number, options: QuorumAddVoterOptions) => {
    const { addVoter } = await import('./commands/quorum-add-voter.ts');
    await addVoter(nodeId, options, context);
  });
  const remove = quorum
    .command('remove-voter')
    .description('take a node out of the quorum')
    .argument('<NODE-ID>', 'number of the node', wholeNumber(0))
    .option('--force', 'also if those that answer are no majority of the voters that remain')
    .option('--json', 'print JSON');
  addConnection(remove).action(async (nodeId: number, options: QuorumRemoveVoterOptions) => {
    const { removeVoter } = await import('./commands/quorum-remove-voter.ts');
    await removeVoter(nodeId, options, context);
  });
  const transfer = quorum
    .command('transfer')
    .description('make another voter the leader')
    .argument('<NODE-ID>', 'number of the node', wholeNumber(0))
    .option('--json', 'print JSON');
  addConnection(transfer).action(async (nodeId: number, options: QuorumTransferOptions) => {
    const { transferLeadership } = await import('./commands/quorum-transfer.ts');
    await transferLeadership(nodeId, options, context);
  });
}

function addSnapshot(program: Command, context: CommandContext): void {
  addGroup(program, 'snapshot', 'look into the metadata of a node that is stopped')
    .command('dump')
    .description('show what the snapshot of the metadata holds, a record a line')
    .argument('<DIR>', 'data directory of the node')
    .option('--log', 'show the entries behind the snapshot, too')
    .option('--json', 'print a line of JSON for each')
    .action(async (path: string, options: SnapshotDumpOptions) => {
      const { dumpSnapshot } = await import('./commands/snapshot-dump.ts');
      await dumpSnapshot(path, options, context);
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
      await context.output.write(completionScript(shell, buildProgram(context)));
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
