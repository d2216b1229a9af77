import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { UserError } from "../errors.js";
import { isGzip, PACKED_MAGIC, refusePacked } from "./packed.js";
import { unreadable } from "./unreadable.js";

const CHUNK_BYTES = 1 << 20;

/**
 * The first bytes of a file, as many as it has; none of a pipe, whose bytes can be read only once.
 *
 * @param expected what the file should be, for messages: "a text"
 * @throws UserError where it cannot be read
 */
export async function firstBytes(path: string, count: number, expected: string): Promise<Uint8Array> {
  try {
    const status = await stat(path);
    if (!status.isFile() && !status.isDirectory()) return new Uint8Array();
    await using file = await open(path, "r");
    const bytes = new Uint8Array(count);
    const { bytesRead } = await file.read(bytes, 0, count, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(path, expected, error);
  }
}

/**
 * The bytes of a file in parts, unpacked where it is gzipped.
 *
 * @param expected what the file should be, for messages: "a text"
 * @throws UserError where it cannot be read, is packed in another way, or its gzip is damaged or cut
 */
export async function* readBytes(path: string, expected: string): AsyncGenerator<Uint8Array> {
  const first = await firstBytes(path, PACKED_MAGIC, expected);
  refusePacked(path, expected, first);
  const packed = isGzip(first);
  const raw = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const gunzip = packed ? createGunzip({ chunkSize: CHUNK_BYTES }) : undefined;
  if (gunzip) raw.on("error", (error) => gunzip.destroy(error)).pipe(gunzip);
  try {
    yield* (gunzip ?? raw) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!code.startsWith("Z_")) throw unreadable(path, expected, error);
    throw new UserError(`${path} must be a complete gzip file, but is not: ${message}. Fetch it again.`, {
      cause: error,
    });
  } finally {
    raw.destroy();
    gunzip?.destroy();
  }
}
