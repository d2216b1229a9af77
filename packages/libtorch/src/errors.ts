/**
 * What kind of failure a {@link TorchError} is, for programs that decide by it:
 *
 * - `ERR_TORCH_ARGUMENT`: a value of the wrong type, an option that does not exist, a number out of range
 * - `ERR_TORCH_STATE`: a state dict or optimiser's state that belongs to something else
 * - `ERR_TORCH_FREED`: a tensor that a scope or `dispose` has freed
 * - `ERR_TORCH_OPERATOR`: libtorch's own refusal, for example of shapes that do not fit, or want of memory
 *
 * The other errors of this package have a `code` too: `BridgeError` `ERR_TORCH_BRIDGE`, `TensorFileError` `ERR_TORCH_FILE`,
 * `DistributedError` `ERR_TORCH_DISTRIBUTED`, `LossScaleError` `ERR_TORCH_LOSS_SCALE`, and `MappedFileError` the system's.
 */
export type TorchErrorCode =
  | "ERR_TORCH_ARGUMENT"
  | "ERR_TORCH_STATE"
  | "ERR_TORCH_FREED"
  | "ERR_TORCH_OPERATOR";

/** A failure in libtorch or in what was passed to it: the operator, its tensors' shapes and dtypes, the reason. */
export class TorchError extends Error {
  override readonly name = "TorchError";
  /** The operator or function, for example `mm`, `add.Tensor` or `AdamW`. */
  readonly operator: string;
  /** libtorch's own words, or what is wrong with an argument. */
  readonly reason: string;
  readonly code: TorchErrorCode;

  constructor(operator: string, reason: string, tensors = "", code: TorchErrorCode = "ERR_TORCH_OPERATOR") {
    super(`${operator}: ${reason}${advice(reason)}${tensors ? ` (${tensors})` : ""}`);
    this.operator = operator;
    this.reason = reason;
    this.code = /\bwas freed\b/.test(reason) ? "ERR_TORCH_FREED" : code;
  }
}

/** What to do about Python's ways of giving arguments: by name, and a reduction as a word. */
function advice(reason: string): string {
  if (reason.startsWith("'reduction' ")) return ". Give 0 for none, 1 for the mean, 2 for the sum";
  const isByName = /^'\w+' (\([^)]*\) must be .*|must be a Tensor), but is an object$/.test(reason);
  return isByName ? ". Give arguments by their places, undefined for one that is left out" : "";
}

/** A mistake in what a function of this package was given, found before libtorch sees it. */
export function argumentError(operator: string, reason: string): TorchError {
  return new TorchError(operator, reason, "", "ERR_TORCH_ARGUMENT");
}

/** A state that belongs to something else than what it is loaded into. */
export function stateError(operator: string, reason: string): TorchError {
  return new TorchError(operator, reason, "", "ERR_TORCH_STATE");
}

/** The addon is not built or does not load: something of the installation, mended by set-up. */
export class BridgeError extends Error {
  override readonly name = "BridgeError";
  readonly code = "ERR_TORCH_BRIDGE";
}
