import { createHash } from "node:crypto";
import { join } from "node:path";
import { SAMPLE_RATE } from "../../../audio/audio-file.js";
import { clipSamples } from "../../../audio/flac/clip-flac.js";
import type { ClipSource } from "../../../audio/sources/clip-source.js";
import { encodeWav } from "../../../audio/wav/wav.js";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import { fileNameOf } from "../../../files/file-name.js";
import { makeDirectory } from "../../../files/make-directory.js";
import type { Picture } from "../../report/pictures.js";
import type { Histogram } from "../../tracker.js";
import { plainJson } from "./extended-json.js";

/** W&B draws no more bins. */
const MOST_BINS = 512;

/** Media as W&B's history holds them, and their files below `files/` of a run's directory. */
export class Media {
  readonly #audio = new Map<string, { value: Record<string, unknown>; seconds: number } | undefined>();

  /**
   * @param directory `files/`
   * @param onFile is told the path below it of each new file
   */
  constructor(
    readonly directory: string,
    readonly onFile: (path: string) => void,
  ) {}

  async table(
    name: string,
    step: number,
    columns: readonly string[],
    rows: readonly (readonly unknown[])[],
  ): Promise<object> {
    const bytes = Buffer.from(plainJson({ columns, data: rows }));
    const file = await this.#write("table", name, step, "table.json", bytes);
    return { _type: "table-file", ...file, ncols: columns.length, nrows: rows.length, log_mode: "IMMUTABLE" };
  }

  async image(name: string, step: number, { png, width, height }: Picture, caption: string): Promise<object> {
    const file = await this.#write("images", name, step, "png", png);
    return { _type: "image-file", ...file, format: "png", width, height, caption };
  }

  /** @param pictures of one size */
  async images(
    name: string,
    step: number,
    pictures: readonly (Picture & { caption: string })[],
  ): Promise<object | undefined> {
    const [first] = pictures;
    if (!first) return undefined;
    const filenames: string[] = [];
    for (const { png } of pictures)
      filenames.push((await this.#write("images", name, step, "png", png)).path);
    return {
      _type: "images/separated",
      width: first.width,
      height: first.height,
      format: "png",
      count: pictures.length,
      filenames,
      captions: pictures.map(({ caption }) => caption),
    };
  }

  /** Clips as WAV; those whose audio is unknown, gone or unreadable are left out. A clip's file is written once. */
  async audio(
    name: string,
    step: number,
    clips: readonly (ClipSource & { caption: string })[],
  ): Promise<object | undefined> {
    const found = [];
    for (const clip of clips) {
      const one = await this.#clip(name, step, clip);
      if (one) found.push({ ...one, caption: clip.caption });
    }
    if (found.length === 0) return undefined;
    return {
      _type: "audio",
      count: found.length,
      audio: found.map(({ value, caption }) => ({ ...value, caption })),
      sampleRates: found.map(() => SAMPLE_RATE),
      durations: found.map(({ seconds }) => seconds),
      captions: found.map(({ caption }) => caption),
    };
  }

  async #clip(name: string, step: number, clip: ClipSource) {
    const key = JSON.stringify([name, clip.path, clip.start, clip.end]);
    if (!this.#audio.has(key)) {
      const samples = await clipSamples(clip);
      const wav = samples && encodeWav(samples, SAMPLE_RATE);
      const value = wav && { _type: "audio-file", ...(await this.#write("audio", name, step, "wav", wav)) };
      this.#audio.set(key, value && { value, seconds: samples.length / SAMPLE_RATE });
    }
    return this.#audio.get(key);
  }

  async #write(kind: string, name: string, step: number, extension: string, bytes: Uint8Array) {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const directory = `media/${kind}`;
    const path = `${directory}/${fileNameOf(name)}_${step}_${sha256.slice(0, 20)}.${extension}`;
    await makeDirectory(join(this.directory, directory));
    await writeFileAtomic(join(this.directory, path), bytes);
    this.onFile(path);
    return { sha256, size: bytes.length, path };
  }
}

/** A histogram inside of a row. */
export function histogramValue({ edges, counts }: Histogram): object {
  const size = Math.ceil(counts.length / MOST_BINS);
  const bins = edges.filter((_, index) => index % size === 0 || index === edges.length - 1);
  const values = Array.from({ length: Math.ceil(counts.length / size) }, (_, bin) =>
    counts.slice(bin * size, (bin + 1) * size).reduce((sum, count) => sum + count, 0),
  );
  return { _type: "histogram", bins, values };
}
