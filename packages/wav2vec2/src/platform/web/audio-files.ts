import type { ByteSource } from "../../audio/sources/byte-source.js";
import { wrongType } from "../../errors.js";

// A page has no paths.

function refuse(path: string): never {
  throw wrongType(
    `The audio must be a file's bytes, a Blob or an address in a page, but is ${JSON.stringify(path)}. Give new URL(path, location.href).`,
  );
}

type OpenFile = ByteSource & { modified: number; close(): void };

export const FileSource = {
  open: async (path: string, _ahead: number, _expected: string): Promise<OpenFile> => refuse(path),
};

export function fileChunks(path: string): AsyncGenerator<Uint8Array> {
  return refuse(path);
}

export function fileURLToPath(url: URL): string {
  return refuse(url.href);
}

/** Whether a stream gives nothing any more. Not to be known here: it is then one without audio. */
export function wasReadOut(_stream: ReadableStream): boolean {
  return false;
}
