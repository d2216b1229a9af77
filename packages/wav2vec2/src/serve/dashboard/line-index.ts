import { type LineSink, parseLine } from "./growing-file.js";
import type { RunsRoot } from "./runs-root.js";

/** Where the keys that an index goes by stand in a line: at its beginning, where {@link metricsFile} puts them. */
const KEY_BYTES = 400;

interface Entry {
  step: number;
  /** Of a histogram. */
  name: string | undefined;
  at: number;
  bytes: number;
}

/**
 * Where the lines of a file of samples are, so that a few of them can be read from a file of any length: `transcripts.jsonl`,
 * `codebooks.jsonl`, `coded-clips.jsonl` and `histograms.jsonl`.
 */
export class LineIndex implements LineSink {
  #entries: Entry[] = [];

  line(bytes: Buffer, at: number): void {
    const start = bytes.toString("utf8", 0, KEY_BYTES);
    const step = /"step":\s*(\d+)/.exec(start)?.[1];
    if (step === undefined) return;
    const name = /"name":\s*("(?:[^"\\]|\\.)*")/.exec(start)?.[1];
    this.#entries.push({
      step: Number(step),
      name: name === undefined ? undefined : String(JSON.parse(name)),
      at,
      bytes: bytes.length,
    });
  }

  reset(): void {
    this.#entries = [];
  }

  /** Steps that have lines, in order. */
  get steps(): number[] {
    return [...new Set(this.#entries.map(({ step }) => step))];
  }

  /** Names that lines have, in the order of their first. */
  get names(): string[] {
    return [...new Set(this.#entries.flatMap(({ name }) => name ?? []))];
  }

  /** The lines of a file that this is the index of. @param at those of a step or a name, all by default */
  async read(
    root: RunsRoot,
    path: string,
    at: { step?: number; name?: string } = {},
  ): Promise<Record<string, unknown>[]> {
    const { step, name } = at;
    const wanted = this.#entries.filter(
      (entry) => (step === undefined || entry.step === step) && (name === undefined || entry.name === name),
    );
    await using file = await root.open(path);
    if (file === undefined) return [];
    const rows: Record<string, unknown>[] = [];
    for (const { at: offset, bytes } of wanted) {
      const line = Buffer.alloc(bytes);
      await file.read(line, 0, bytes, offset);
      const row = parseLine(line);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }
}
