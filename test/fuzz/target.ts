/** A decoder of bytes that others have written. */
export interface Target {
  readonly name: string;
  /** Sound inputs to begin with. */
  readonly corpus: readonly Uint8Array[];
  /** Of so many inputs this target gets as many as it weighs. */
  readonly weight: number;
  /**
   * Decodes all there is, as who uses it does. Throws `Refusal`s that `refuses` knows, and nothing else;
   * what it says of the input is checked here, and a broken promise is an `Error`.
   */
  run(bytes: Uint8Array): void | Promise<void>;
  readonly refuses: (error: unknown) => boolean;
  /** Makes checksums right again, so that what stands behind them is tried; half of the inputs get it. */
  mend?(bytes: Uint8Array): void;
}

/** What one target was given, and what became of it. */
export interface TargetTotals {
  readonly name: string;
  inputs: number;
  accepted: number;
  seconds: number;
  /** The longest that one input took. */
  slowestMs: number;
}

/** Something that no input may bring about. */
export interface Violation {
  readonly target: string;
  readonly seed: number;
  readonly inputHex: string;
  readonly problem: string;
}
