import { exitCodes } from "../exit-codes.js";
import { reasonOf } from "../files/atomic/atomic-file.js";

let printsAsItGoes = false;

/** For commands whose only result is what they print bit by bit: they end where nobody reads it any more. */
export function endWithReader(): void {
  printsAsItGoes = true;
}

/** Such as that the disk is full. */
function fail(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): never {
  if (stream === process.stdout)
    process.stderr.write(`Standard output must be written to, but ${reasonOf(error)}.\n`);
  process.exit(exitCodes.failed);
}

/** A pipe without a reader, and a terminal that was closed. */
const UNREAD = ["EPIPE", "EIO"];

/**
 * `wav2vec2 … | head` closes stdout early, and a terminal may be closed while training goes on or saves. That is no fault, and
 * ends nothing that has files to write or a network to train.
 */
export function handleClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!UNREAD.includes(error.code ?? "")) fail(stream, error);
      if (printsAsItGoes && stream === process.stdout) process.exit(exitCodes.done);
    });
  }
}
