import { SettingError } from '../config/setting.ts';
import { type NodeId, nodeId } from '../model/ids.ts';
import { formatAddress, parseAddress } from '../rpc/address.ts';

const KEY = 'controller.quorum.voters';
const MAX_NODE_ID = 2 ** 31 - 1;

/**
 * Where the nodes that form a cluster listen for each other, by id, as `1@HOST:PORT,2@HOST:PORT`.
 *
 * @throws SettingError
 */
export function parseVoters(text: string): ReadonlyMap<NodeId, string> {
  const voters = new Map<NodeId, string>();
  const items = text.split(',').map((item) => item.trim());
  for (const item of items.filter((one) => one !== '')) {
    const [, digits, rest] = /^(\d{1,10})@(.+)$/.exec(item) ?? [];
    if (digits === undefined || Number(digits) > MAX_NODE_ID) {
      throw new SettingError(KEY, `"${item}" is not ID@HOST:PORT`);
    }
    const id = nodeId(Number(digits));
    if (voters.has(id)) throw new SettingError(KEY, `node ${id} stands twice in it`);
    const address = addressOf(item, rest!);
    if ([...voters.values()].includes(address)) {
      throw new SettingError(KEY, `two nodes have the address ${address}`);
    }
    voters.set(id, address);
  }
  return voters;
}

function addressOf(item: string, text: string): string {
  let address: ReturnType<typeof parseAddress>;
  try {
    address = parseAddress(text);
  } catch (error) {
    throw new SettingError(KEY, `"${item}" is not ID@HOST:PORT: ${(error as Error).message}`);
  }
  if (address.port === 0) throw new SettingError(KEY, `"${item}" has no port that others can find`);
  return formatAddress(address);
}
