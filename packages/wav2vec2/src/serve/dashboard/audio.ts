import { join } from "node:path";
import { Readable } from "node:stream";
import type { Context } from "hono";
import { isClipPath } from "../../tracking/sinks/clip-path.js";
import type { RunsRoot } from "./runs-root.js";

/** Answers with a clip of a run (nothing else of a run directory is given out as a file), or the part of it that the player asks for (RFC 9110, 14). */
export async function serveClip(
  context: Context,
  root: RunsRoot,
  id: string,
  clip: string,
): Promise<Response> {
  const file = isClipPath(clip) ? await root.open(join(id, clip)) : undefined;
  if (file === undefined) return context.json({ error: "There is no such clip in this run." }, 404);
  const { size } = await file.stat();
  const range = rangeOf(context.req.header("range"), size);
  const headers: Record<string, string> = {
    "Content-Type": "audio/flac",
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600", // its name changes with what is in it
  };
  if (range === "unsatisfiable" || size === 0) {
    await file.close();
    return context.body(null, 416, { ...headers, "Content-Range": `bytes */${size}` });
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  headers["Content-Length"] = String(last - first + 1);
  if (range) headers["Content-Range"] = `bytes ${first}-${last}/${size}`;
  const stream = Readable.toWeb(file.createReadStream({ start: first, end: last }));
  return context.body(stream as ReadableStream, range ? 206 : 200, headers);
}

/** The bytes that a Range header asks for; undefined where it is none of a single range, which is to be ignored. */
function rangeOf(
  header: string | undefined,
  size: number,
): { first: number; last: number } | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(size - 1, Number(to));
  return first > last ? "unsatisfiable" : { first, last };
}
