import type { IncomingMessage } from "node:http";

/** What is read of a body that nobody wants, before its answer. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_MS = 2000;

/**
 * Reads on a request whose answer is there already: a client that is still sending would see its connection broken, and
 * not the answer.
 *
 * @returns whether all of it was read, so that the connection can go on
 */
export async function drain(request: IncomingMessage): Promise<boolean> {
  if (request.complete || request.destroyed) return request.complete;
  // Such a client waits to be asked for the body, and was not.
  if (request.headers.expect !== undefined) return false;
  let bytes = 0;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, MOST_MS);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) end();
    });
    request.once("end", end);
    request.once("close", end);
    request.resume();
  });
  return request.complete;
}
