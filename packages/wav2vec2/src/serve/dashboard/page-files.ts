import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Context, Handler } from "hono";
import { UserError } from "../../errors.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

interface PageFile {
  type: string;
  etag: string;
  /** Whether its name changes with its content. */
  isHashed: boolean;
  bytes: Record<"br" | "gzip" | "identity", Uint8Array<ArrayBuffer>>;
}

/** The page's files by their paths, in memory: a request can ask for no others. */
export type PageFiles = ReadonlyMap<string, PageFile>;

/** @throws UserError where the page is not built */
export function loadPageFiles(): PageFiles {
  const directory = join(
    dirname(createRequire(import.meta.url).resolve("@wav2vec2/studio/package.json")),
    "dist",
  );
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch (cause) {
    throw new UserError(
      `${directory} must hold the dashboard's page, but is missing. Build it: npm run build.`,
      { cause },
    );
  }
  const files = names.flatMap((name) => {
    const type = TYPES[extname(name)];
    if (type === undefined) return [];
    const raw = readFileSync(join(directory, name));
    const file: PageFile = {
      type,
      etag: `"${createHash("sha256").update(raw).digest("base64url").slice(0, 20)}"`,
      isHashed: name.startsWith("assets"),
      bytes: {
        br: copied(brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })),
        gzip: copied(gzipSync(raw, { level: 9 })),
        identity: copied(raw),
      },
    };
    return [[`/${name.split(sep).join("/")}`, file] as const];
  });
  return new Map(files);
}

function copied(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Answers with a file of the page, compressed as the browser takes it. */
export function servePage(files: PageFiles): Handler {
  return (context: Context) => {
    const path = context.req.path === "/" ? "/index.html" : context.req.path;
    const file = files.get(path);
    if (file === undefined) return context.text("There is no such page.\n", 404);
    const headers: Record<string, string> = {
      ETag: file.etag,
      Vary: "Accept-Encoding",
      "Cache-Control": file.isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    };
    if (context.req.header("if-none-match") === file.etag) return context.body(null, 304, headers);
    const accepted = context.req.header("accept-encoding") ?? "";
    const encoding = accepted.includes("br") ? "br" : accepted.includes("gzip") ? "gzip" : "identity";
    if (encoding !== "identity") headers["Content-Encoding"] = encoding;
    headers["Content-Type"] = file.type;
    return context.body(file.bytes[encoding], 200, headers);
  };
}
