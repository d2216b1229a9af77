import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { Readable } from "node:stream";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Context, Handler } from "hono";
import { UserError } from "../errors.js";
import type { PageFile } from "./page-file.js";

/** What is served of a page's directory, all else in it is not. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".onnx": "application/octet-stream",
  ".onnx_data": "application/octet-stream",
  ".txt": "text/plain; charset=utf-8",
};
/** What is larger, such as a model, is read from the disk each time, as it is. */
const MOST_IN_MEMORY = 4 * 2 ** 20;
const COMPRESSED = /^text\/|json$|svg|wasm/;

type LoadedFile = FileInMemory | FileOnDisk;

interface FileKind {
  type: string;
  etag: string;
  /** Whether its name changes with its content. */
  isHashed: boolean;
}

interface FileInMemory extends FileKind {
  bytes: Record<"br" | "gzip" | "identity", Uint8Array<ArrayBuffer>>;
}

interface FileOnDisk extends FileKind {
  path: string;
  size: number;
}

/** A page's files by their paths, as they were at the start: a request can ask for no others. */
export type PageFiles = ReadonlyMap<string, LoadedFile>;

/** A page's files that lie in several places. */
export function loadListedFiles(files: readonly PageFile[]): PageFiles {
  return new Map(
    files.map(({ path, type, source, isLasting }) => [
      `/${path}`,
      "text" in source
        ? inMemory(Buffer.from(source.text), type, isLasting)
        : pageFile(source.file, type, isLasting),
    ]),
  );
}

/**
 * @param what what the directory must hold, for the message
 * @throws UserError where there is no such directory
 */
export function loadPageFiles(directory: string, what: string): PageFiles {
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch (cause) {
    throw new UserError(`${directory} must hold ${what}, but is missing. Build it: npm run build.`, {
      cause,
    });
  }
  const files = names.flatMap((name) => {
    const type = TYPES[extname(name)];
    const path = join(directory, name);
    if (type === undefined || !statSync(path).isFile()) return [];
    return [[`/${name.split(sep).join("/")}`, pageFile(path, type, name.startsWith("assets"))] as const];
  });
  return new Map(files);
}

function pageFile(path: string, type: string, isHashed: boolean): LoadedFile {
  const { size, mtimeMs } = statSync(path);
  if (size > MOST_IN_MEMORY) return { type, etag: `"${size}-${mtimeMs}"`, isHashed, path, size };
  return inMemory(readFileSync(path), type, isHashed);
}

function inMemory(raw: Buffer, type: string, isHashed: boolean): FileInMemory {
  const isSmaller = COMPRESSED.test(type);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  const bytes = {
    br: copied(isSmaller ? brotliCompressSync(raw, quality) : raw),
    gzip: copied(isSmaller ? gzipSync(raw, { level: 9 }) : raw),
    identity: copied(raw),
  };
  const etag = `"${createHash("sha256").update(raw).digest("base64url").slice(0, 20)}"`;
  return { type, etag, isHashed, bytes };
}

function copied(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/**
 * Answers with a file of the page, compressed as the browser takes it.
 *
 * @param more headers besides
 */
export function servePage(files: PageFiles, more: Readonly<Record<string, string>> = {}): Handler {
  return (context: Context) => {
    const path = context.req.path === "/" ? "/index.html" : context.req.path;
    const file = files.get(path);
    if (file === undefined) return context.text("There is no such page.\n", 404);
    const headers: Record<string, string> = {
      ...more,
      ETag: file.etag,
      Vary: "Accept-Encoding",
      "Cache-Control": file.isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    };
    if (context.req.header("if-none-match") === file.etag) return context.body(null, 304, headers);
    headers["Content-Type"] = file.type;
    if ("path" in file) {
      headers["Content-Length"] = String(file.size);
      return context.body(Readable.toWeb(createReadStream(file.path)) as ReadableStream, 200, headers);
    }
    const accepted = context.req.header("accept-encoding") ?? "";
    const isSmaller = COMPRESSED.test(file.type);
    const encoding = !isSmaller
      ? "identity"
      : accepted.includes("br")
        ? "br"
        : accepted.includes("gzip")
          ? "gzip"
          : "identity";
    if (encoding !== "identity") headers["Content-Encoding"] = encoding;
    return context.body(file.bytes[encoding], 200, headers);
  };
}
