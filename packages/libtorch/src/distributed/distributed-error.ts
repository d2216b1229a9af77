import { TorchError } from "../errors.js";

/** What processes do together failed: one has ended, does not answer, or cannot be reached. */
export class DistributedError extends Error {
  override readonly name = "DistributedError";
  readonly code = "ERR_TORCH_DISTRIBUTED";
}

/** The reason in one line, for a message that goes on in another sentence. */
export function reasonOf(error: unknown): string {
  const message =
    error instanceof TorchError ? error.reason : error instanceof Error ? error.message : String(error);
  const [line = ""] = message.split("\n");
  // Gloo's begin with the place in its sources and end with advice on where to report.
  return line
    .replace(/^\[[^\]]*\.cc:\d+\]\s*/, "")
    .replace(/ This is typically caused by .*$/, "")
    .replace(/\.$/, "");
}
