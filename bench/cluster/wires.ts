import { spawnSync } from 'node:child_process';

/** How the nodes of a cluster reach each other. */
export interface Wires {
  /** What a command of that node begins with. */
  prefix(id: number): readonly string[];
  host(id: number): string;
  /** The node hears nobody and is heard by nobody, without a word from the network. */
  cut(id: number): void;
  mend(id: number): void;
  close(): void;
}

/** All on the loopback; nothing can be cut. */
export const loopback: Wires = {
  prefix: () => [],
  host: (id) => `127.0.0.${id}`,
  cut: () => {
    throw new Error('only the superuser can cut a network: run this as root');
  },
  mend: () => {},
  close: () => {},
};

const BRIDGE = 'varve-bench';
const NET = '10.77.77';

/** A network namespace a node, and a bridge between them to which this process belongs, too. */
export class NamespaceWires implements Wires {
  readonly #ids: readonly number[];

  constructor(ids: readonly number[]) {
    this.#ids = ids;
    this.close();
    ip('link', 'add', BRIDGE, 'type', 'bridge');
    ip('addr', 'add', `${NET}.254/24`, 'dev', BRIDGE);
    ip('link', 'set', BRIDGE, 'up');
    for (const id of ids) this.#add(id);
  }

  /** Whether this process may make namespaces. */
  static get isPossible(): boolean {
    if (process.getuid?.() !== 0) return false;
    const name = `${BRIDGE}-try`;
    const isMade = spawnSync('ip', ['netns', 'add', name]).status === 0;
    if (isMade) ip('netns', 'del', name);
    return isMade;
  }

  prefix(id: number): readonly string[] {
    return ['ip', 'netns', 'exec', spaceOf(id)];
  }

  host(id: number): string {
    return `${NET}.${id}`;
  }

  cut(id: number): void {
    ip('link', 'set', outerOf(id), 'down');
  }

  mend(id: number): void {
    ip('link', 'set', outerOf(id), 'up');
  }

  close(): void {
    for (const id of this.#ids) spawnSync('ip', ['netns', 'del', spaceOf(id)]);
    spawnSync('ip', ['link', 'del', BRIDGE]);
  }

  #add(id: number): void {
    const space = spaceOf(id);
    ip('netns', 'add', space);
    ip('link', 'add', outerOf(id), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    ip('link', 'set', outerOf(id), 'master', BRIDGE);
    ip('link', 'set', outerOf(id), 'up');
    ip('-n', space, 'addr', 'add', `${NET}.${id}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
}

const spaceOf = (id: number): string => `${BRIDGE}-${id}`;
const outerOf = (id: number): string => `varve-b${id}`;

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr.trim()}`);
}
