import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Busboy, type BusboyHeaders, type BusboyInstance } from "@fastify/busboy";
import { showBytes } from "../../files/show-bytes.js";
import { ApiError } from "../api-error.js";

/** A form that was sent: its fields in order, and the recording as a file of its own. */
export interface TranscriptionForm {
  fields: readonly (readonly [name: string, value: string])[];
  file: { path: string; name: string; size: number };
}

export interface FormLimits {
  /** Where recordings lie while they are recognised. */
  directory: string;
  /** Of a recording. */
  maxBytes: number;
  /** Is called where the form is taken, before it is read: for clients that ask first. */
  onTaken?: (() => void) | undefined;
}

const MOST_FIELDS = 2000;
const LARGEST_FIELD = 64 * 1024;
/** Of a form, besides its recording. */
const REST = 4 * 2 ** 20;

/**
 * Reads a form into a file and fields, as it comes: memory does not grow with it.
 *
 * @throws ApiError 400 where it is broken or has no recording, 413 where that is too large, 415 where it is no form
 */
export async function readForm(request: IncomingMessage, limits: FormLimits): Promise<TranscriptionForm> {
  const parser = parserOf(request, limits);
  limits.onTaken?.();
  const fields: [string, string][] = [];
  const path = join(limits.directory, randomUUID());
  let file: Promise<TranscriptionForm["file"]> | undefined;
  let upload: Readable | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const broken = (error: unknown) => reject(brokenForm(error));
      parser.on("field", (name, value, _, isCut) => {
        if (isCut) reject(new ApiError(413, `The field ${name} must have at most ${LARGEST_FIELD} bytes.`));
        fields.push([name, value]);
      });
      parser.on("file", (field, stream, name) => {
        if (field !== "file") return stream.resume();
        if (file !== undefined)
          return reject(new ApiError(400, "The form must hold one file, but holds several."));
        upload = stream;
        file = store(stream, path, name, limits.maxBytes);
        file.catch(reject);
      });
      for (const limit of ["fieldsLimit", "filesLimit", "partsLimit"] as const)
        parser.on(limit, () => reject(new ApiError(413, "The form must have fewer parts.")));
      parser.once("finish", resolve);
      parser.on("error", broken);
      request.once("aborted", () => broken(new Error("the connection was closed")));
      request.on("error", broken);
      request.pipe(parser);
    });
    if (file === undefined) throw noFile("is missing");
    const stored = await file;
    if (stored.size === 0) throw noFile("is empty");
    return { fields, file: stored };
  } catch (error) {
    request.unpipe(parser);
    parser.destroy();
    upload?.destroy(); // the parser does not
    await file?.catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
}

function parserOf(request: IncomingMessage, { maxBytes }: FormLimits): BusboyInstance {
  const { "content-type": type = "", "content-length": length } = request.headers;
  if (!/^multipart\/form-data\b/i.test(type))
    throw new ApiError(
      415,
      `The request must be a form (multipart/form-data) with the recording in its field file, but is ${type === "" ? "of no type" : type.slice(0, 100)}.`,
    );
  if (Number(length) > maxBytes + REST) throw tooLarge(maxBytes);
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fileSize: maxBytes,
        fieldSize: LARGEST_FIELD,
        fieldNameSize: 200,
        files: 4,
        fields: MOST_FIELDS,
        headerPairs: 50,
      },
    });
  } catch (error) {
    throw brokenForm(error);
  }
}

async function store(
  stream: Readable,
  path: string,
  name: string | undefined,
  maxBytes: number,
): Promise<TranscriptionForm["file"]> {
  let isTooLarge = false;
  stream.once("limit", () => {
    isTooLarge = true;
    stream.destroy(tooLarge(maxBytes));
  });
  const out = createWriteStream(path, { flags: "wx", mode: 0o600 });
  try {
    await pipeline(stream, out);
  } catch (error) {
    throw isTooLarge ? tooLarge(maxBytes) : error;
  }
  return { path, name: name || "the recording", size: out.bytesWritten };
}

function noFile(what: string): ApiError {
  return new ApiError(400, `The field file must be a recording, but ${what}. Send it with a file name.`, {
    param: "file",
    code: "missing_file",
  });
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError(413, `The recording must have at most ${showBytes(maxBytes)}, but is larger.`, {
    param: "file",
    code: "file_too_large",
  });
}

function brokenForm(error: unknown): unknown {
  if (error instanceof ApiError || (error as NodeJS.ErrnoException).code === "ENOSPC") return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ApiError(400, `The form must be whole, but cannot be read: ${reason}.`, { code: "broken_form" });
}
