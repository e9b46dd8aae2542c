import { assert } from '../model/assert.ts';

/**
 * The sender's side of byte credit: what the receiver has granted and we have not spent. It may be
 * overdrawn, by the one message that is sent while it is above zero.
 */
export class Credit {
  #bytes = 0;

  get availableBytes(): number {
    return this.#bytes;
  }

  get isSpent(): boolean {
    return this.#bytes <= 0;
  }

  grant(bytes: number): void {
    assert(bytes >= 0, 'credit is granted, never taken back');
    this.#bytes += bytes;
  }

  spend(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * The receiver's side: keeps a sender supplied with up to `windowBytes`, granting again what was
 * taken in when half the window is used up, so that not every message is followed by a grant.
 */
export class CreditWindow {
  readonly #windowBytes: number;
  #takenBytes: number;

  constructor(windowBytes: number) {
    assert(windowBytes > 0, 'a window holds at least one byte');
    this.#windowBytes = windowBytes;
    this.#takenBytes = windowBytes;
  }

  /** The receiver has dealt with `bytes` of what came. */
  taken(bytes: number): void {
    this.#takenBytes += bytes;
  }

  /** Bytes to grant now, 0 for none; the first call grants the whole window. */
  takeGrant(): number {
    if (this.#takenBytes * 2 < this.#windowBytes) return 0;
    const grant = this.#takenBytes;
    this.#takenBytes = 0;
    return grant;
  }
}
