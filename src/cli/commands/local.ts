import { join, resolve } from 'node:path';
import { IDENTITY_FILE } from '../../log/file-names.ts';
import type { CommandContext, NodeProcess } from '../command-context.ts';
import { CommandError, ExitCode } from '../exit-code.ts';

export interface LocalCommandOptions {
  readonly dataDir: string;
  readonly nodes: number;
  readonly set?: readonly string[];
  readonly config?: string;
}

/** Of node 1; the next node has each of them ten higher. */
const PORTS = { kafka: 9092, peer: 9093, grpc: 9095, http: 9644 };
const STEP = 10;
const HOST = '127.0.0.1';

interface LocalNode {
  readonly id: number;
  readonly dataDir: string;
  readonly addresses: Readonly<Record<keyof typeof PORTS, string>>;
}

/**
 * `varve local`: a cluster on this machine, for trying and developing. Each node is a process of its own
 * with its own folder, so that one can be killed and started again.
 */
export async function local(options: LocalCommandOptions, context: CommandContext): Promise<void> {
  const { output, errors, signal } = context;
  const nodes = await planNodes(options, context);
  const running = new Map<number, NodeProcess>();
  const stop = (): void => {
    for (const node of running.values()) node.stop();
  };
  for (const node of nodes) running.set(node.id, await spawn(node, nodes, options, context));
  const processes = [...running.values()];
  for (const [id, { ended }] of running) {
    void ended.then((how) => {
      running.delete(id);
      errors.tell(`node ${id} has ended with ${how}\n`);
    });
  }
  signal.addEventListener('abort', stop, { once: true });
  // It may have fired before.
  if (signal.aborted) stop();
  try {
    // Not all of them: the others may wait for the one that did not start.
    await Promise.all(
      processes.map(async ({ ready }, at) => {
        if ((await ready) || signal.aborted) return;
        throw new CommandError(ExitCode.failure, `node ${nodes[at]!.id} did not start`);
      }),
    );
    if (signal.aborted) return;
    await output.write(summary(nodes, resolve(options.dataDir)));
    await Promise.all(processes.map(({ ended }) => ended));
  } finally {
    stop();
    await Promise.all(processes.map(({ ended }) => ended));
  }
}

function spawn(
  node: LocalNode,
  nodes: readonly LocalNode[],
  options: LocalCommandOptions,
  { errors, spawnNode }: CommandContext,
): Promise<NodeProcess> {
  const prefix = nodes.length === 1 ? '' : `[${node.id}] `;
  return spawnNode(startArguments(node, nodes, options), (line) =>
    errors.tell(`${prefix}${line}\n`),
  );
}

async function planNodes(
  { nodes: count, dataDir }: LocalCommandOptions,
  { env }: CommandContext,
): Promise<LocalNode[]> {
  const isLone = (await env.files.stat(join(dataDir, IDENTITY_FILE))) !== undefined;
  if (isLone && count > 1) {
    throw new CommandError(
      ExitCode.badConfig,
      `${dataDir} holds the data of a single node: go on with it by --nodes 1, or give another --data-dir`,
    );
  }
  return Array.from({ length: count }, (_, at) => {
    const address = (port: number): string => `${HOST}:${port + STEP * at}`;
    return {
      id: at + 1,
      dataDir: count === 1 ? dataDir : join(dataDir, `node-${at + 1}`),
      addresses: {
        kafka: address(PORTS.kafka),
        peer: address(PORTS.peer),
        grpc: address(PORTS.grpc),
        http: address(PORTS.http),
      },
    };
  });
}

function startArguments(
  { id, dataDir, addresses }: LocalNode,
  nodes: readonly LocalNode[],
  { set = [], config }: LocalCommandOptions,
): string[] {
  const voters = nodes.map((node) => `${node.id}@${node.addresses.peer}`).join(',');
  return [
    ...['start', '--json', '--data-dir', dataDir, '--node-id', `${id}`],
    ...(nodes.length === 1 ? [] : ['--voters', voters, '--peer', addresses.peer]),
    ...['--grpc', addresses.grpc, '--kafka', addresses.kafka, '--http', addresses.http],
    ...(config === undefined ? [] : ['--config', config]),
    ...set.flatMap((item) => ['--set', item]),
  ];
}

function summary(nodes: readonly LocalNode[], dataDir: string): string {
  const list = (kind: keyof typeof PORTS): string =>
    nodes.map(({ addresses }) => addresses[kind]).join(', ');
  return [
    nodes.length === 1 ? 'varve is ready: one node' : `varve is ready: ${nodes.length} nodes`,
    `  gRPC   ${list('grpc')}`,
    `  Kafka  ${list('kafka')}`,
    `  HTTP   ${list('http')}`,
    `  data   ${dataDir}`,
    '',
  ].join('\n');
}
