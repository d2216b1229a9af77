import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { writePartsAtomic } from "../../../files/atomic/atomic-parts.js";
import type { EstimatedNgram, NgramEstimate } from "../estimation/kneser-ney.js";
import { shortestFloat32 } from "./arpa-number.js";

const PART_LINES = 1 << 14;

/**
 * Writes a model in ARPA's format, gzipped where the name ends in `.gz`. Numbers have the digits that tell float32s
 * apart.
 *
 * @throws UserError where the file cannot be written
 */
export async function writeArpa(path: string, estimate: NgramEstimate, signal?: AbortSignal): Promise<void> {
  const parts = arpaParts(estimate, signal);
  if (!path.endsWith(".gz")) return writePartsAtomic(path, parts);
  const gzip = createGzip();
  const source = Readable.from(parts);
  source.on("error", (error) => gzip.destroy(error)).pipe(gzip);
  await writePartsAtomic(path, gzip);
}

async function* arpaParts(estimate: NgramEstimate, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const lines = ["\\data\\\n", ...estimate.counts.map((count, n) => `ngram ${n + 1}=${count}\n`)];
  for (let order = 1; order <= estimate.order; order++) {
    lines.push(`\n\\${order}-grams:\n`);
    for (const ngram of estimate.ngrams(order)) {
      lines.push(lineOf(ngram, estimate, order));
      if (lines.length < PART_LINES) continue;
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      yield Buffer.from(lines.join(""));
      lines.length = 0;
    }
  }
  yield Buffer.from(`${lines.join("")}\n\\end\\\n`);
}

function lineOf(
  { words, logProbability, logBackoff }: EstimatedNgram,
  { words: names, order: highest }: NgramEstimate,
  order: number,
): string {
  let line = `${shortestFloat32(logProbability)}\t${names[words[0]!]}`;
  for (let i = 1; i < order; i++) line += ` ${names[words[i]!]}`;
  return order < highest ? `${line}\t${shortestFloat32(logBackoff)}\n` : `${line}\n`;
}
