/** How many connections are let in; see the settings of the same names. */
export interface ConnectionCounts {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** Counts the connections of listeners. Nobody has said who they are: those that are too many are not answered. */
export class ConnectionLimits {
  readonly #limits: ConnectionCounts;
  readonly #openByAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionCounts) {
    this.#limits = limits;
  }

  /** Lets a connection in, until `left`; or says which limit it is beyond. */
  enter(address: string): 'total' | 'address' | null {
    const ofAddress = this.#openByAddress.get(address) ?? 0;
    if (this.#open >= this.#limits.maxConnections) return 'total';
    if (ofAddress >= this.#limits.maxConnectionsPerAddress) return 'address';
    this.#open++;
    this.#openByAddress.set(address, ofAddress + 1);
    return null;
  }

  /** One of those that were let in has gone. */
  left(address: string): void {
    this.#open--;
    const rest = this.#openByAddress.get(address)! - 1;
    if (rest === 0) this.#openByAddress.delete(address);
    else this.#openByAddress.set(address, rest);
  }
}
