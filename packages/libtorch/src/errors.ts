/** A failure in libtorch or in what was passed to it: the operator, its tensors' shapes and dtypes, the reason. */
export class TorchError extends Error {
  override readonly name = "TorchError";
  /** The operator, for example `mm` or `add.Tensor`. */
  readonly operator: string;
  /** libtorch's own words. */
  readonly reason: string;

  constructor(operator: string, reason: string, tensors = "") {
    super(`${operator}: ${reason}${tensors ? ` (${tensors})` : ""}`);
    this.operator = operator;
    this.reason = reason;
  }
}

/** The addon is not built or does not load: something of the installation, mended by set-up. */
export class BridgeError extends Error {
  override readonly name = "BridgeError";
}
