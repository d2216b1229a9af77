import { isErrored, isReadable, Readable } from "node:stream";

export { fileURLToPath } from "node:url";
export { FileSource, fileChunks } from "../../audio/sources/file-source.js";

/** Whether a stream of the web gives nothing any more, because it was read. */
export function wasReadOut(stream: ReadableStream): boolean {
  const asReadable = stream as unknown as Readable; // Node.js' types know only its own
  return Readable.isDisturbed(asReadable) && !isReadable(asReadable) && !isErrored(asReadable);
}
