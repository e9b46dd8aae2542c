import { checkUnknown, parseSettings } from '../../src/config/parse-settings.ts';
import { SettingError } from '../../src/config/setting.ts';
import { collectSettings } from '../../src/config/sources.ts';
import { topicLogSettings } from '../../src/log/topic-config.ts';
import { formatAddress, parseAddress } from '../../src/rpc/address.ts';
import { allSettings } from '../../src/server/all-settings.ts';
import type { Target } from './target.ts';

const groups = Object.values(allSettings);
const keys = groups.flatMap((group) => Object.values(group).map(({ key }) => key));

const file = `
# a node
node.id: 3
log: { segment.bytes: 64MiB, retention.ms: 7d }
grpc:
  listener: "127.0.0.1:9095"
insecure: true
log.cleanup.policy: [delete]
`;
const json = JSON.stringify({ 'node.id': 1, log: { 'roll.ms': '3 h' } });
const anchors = 'log: &a { segment.bytes: 1MiB }\ngrpc: *a\n';

const flags: readonly string[] = [
  'log.segment.bytes=64 MiB',
  'retention.ms=-1',
  'insecure=false',
  'grpc.listener=[::1]:9095',
  'min.insync.replicas=2',
  'no.such.key=1',
  'message.timestamp.type=LogAppendTime',
];

export const configTargets: readonly Target[] = [
  {
    name: 'settings file',
    weight: 1,
    corpus: [file, json, anchors].map((text) => Buffer.from(text)),
    run: async (bytes) => {
      const text = Buffer.from(bytes).toString();
      const { given } = await collectSettings({ file: { path: 'varve.yaml', text } }, keys);
      checkUnknown(given, groups);
      for (const group of groups) parseSettings(group, given);
    },
    refuses: (error) => error instanceof SettingError,
  },
  {
    name: 'settings of requests and flags',
    weight: 1,
    corpus: flags.map((text) => Buffer.from(text)),
    run: async (bytes) => {
      const flag = Buffer.from(bytes).toString();
      const { given } = await collectSettings({ flags: [flag] }, keys);
      checkUnknown(given, [...groups, topicLogSettings]);
      for (const group of groups) parseSettings(group, given);
      parseSettings(topicLogSettings, given);
    },
    refuses: (error) => error instanceof SettingError,
  },
  {
    name: 'addresses',
    weight: 1,
    corpus: ['127.0.0.1:9095', '[::1]:0', '[fe80::1%eth0]:65535', 'broker.example:9095'].map(
      (text) => Buffer.from(text),
    ),
    run: (bytes) => {
      const address = parseAddress(Buffer.from(bytes).toString());
      const again = parseAddress(formatAddress(address));
      if (again.host !== address.host || again.port !== address.port) throw new TypeError('torn');
    },
    refuses: (error) => (error as Error).message.includes('is not HOST:PORT'),
  },
];
