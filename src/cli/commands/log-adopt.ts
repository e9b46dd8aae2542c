import { resolve } from 'node:path';
import { nodeId } from '../../model/ids.ts';
import { adoptLogs } from '../../server/adopt-logs.ts';
import { pinoLogger } from '../../telemetry/pino-logger.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { formatCount } from '../progress.ts';

export interface LogAdoptOptions {
  readonly nodeId?: number;
  readonly json?: boolean;
}

/** `varve log adopt`: folders of a Kafka that stand in a data directory become this node's, offline. */
export async function adoptFolders(
  path: string,
  options: LogAdoptOptions,
  { env, output, errors }: CommandContext,
): Promise<void> {
  const logger = pinoLogger({ level: 'warn', destination: { write: (line) => errors.tell(line) } });
  const node = nodeId(options.nodeId ?? 1);
  const adopted = await adoptLogs({ dataDir: resolve(path), nodeId: node }, env, logger);
  for (const { partition, logStartOffset, logEndOffset } of adopted) {
    const count = formatCount(logEndOffset - logStartOffset);
    if (options.json) await output.writeJson({ partition, logStartOffset, logEndOffset });
    else await output.write(`${partition}: ${count} records, from offset ${logStartOffset} on\n`);
  }
  if (adopted.length === 0) {
    throw new CommandError(
      ExitCode.failure,
      `${path}: nothing to adopt; copy the folders of partitions (TOPIC-N) into it first, in the place of those of a topic of that name`,
    );
  }
}
