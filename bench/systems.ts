import type { PeerName } from './arguments.ts';
import { MachineLimit } from './limits/machine-limit.ts';
import { Kafka } from './peers/kafka.ts';
import { JavaLoad, LibrdkafkaLoad } from './peers/kafka-load.ts';
import { Nats } from './peers/nats.ts';
import { VarveByKafka } from './peers/varve-by-kafka.ts';
import type { Workspace } from './run/workspace.ts';
import type { Scenario } from './scenario.ts';
import type { System } from './system.ts';
import { Varve } from './varve.ts';

/** The limit, Varve and the chosen peers, as far as a scenario is measured on them. */
export function systemsFor(
  scenarios: readonly Scenario[],
  peers: readonly PeerName[],
  workspace: Workspace,
): System[] {
  const perf = new JavaLoad(workspace, 'Perf');
  const librdkafka = new LibrdkafkaLoad(workspace);
  const systemsOf: Record<PeerName, readonly System[]> = {
    'varve-kafka': [
      new VarveByKafka(workspace, 'varve-kafka', new JavaLoad(workspace, 'Load')),
      new VarveByKafka(workspace, 'varve-perf', perf),
      new VarveByKafka(workspace, 'varve-librdkafka', librdkafka),
    ],
    kafka: [
      new Kafka(workspace),
      new Kafka(workspace, 'kafka-perf', perf),
      new Kafka(workspace, 'kafka-librdkafka', librdkafka),
    ],
    nats: [new Nats(workspace)],
  };
  const chosen = peers.flatMap((peer) => systemsOf[peer]);
  return [new MachineLimit(workspace), new Varve(workspace), ...chosen].filter(({ name }) =>
    scenarios.some(({ systems }) => systems.includes(name)),
  );
}
