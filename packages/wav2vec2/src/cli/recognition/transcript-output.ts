import { access, constants } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigurationError, UserError } from "../../errors.js";
import { reasonOf, writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import type { FileNews } from "../../recognition/files.js";
import { FORMATS, type Format, transcriptWriter } from "../../text/formats/formats.js";
import { NamedTextWriter } from "../../text/formats/text.js";
import type { TranscriptWriter } from "../../text/formats/transcript.js";

export interface OutputOptions {
  format: Format;
  /** Whether JSON lists characters. */
  characters: boolean;
}

interface Entry {
  file: string;
  writer: TranscriptWriter;
  /** What is not written yet. */
  text: string;
  done: boolean;
}

/** A recording's file and what outputs call it, see `recordingNames`. */
export interface NamedRecording {
  file: string;
  name: string;
}

/** Where transcripts of many recordings go, from the news of them. */
export interface TranscriptSink {
  take(news: FileNews): Promise<void>;
  /** How many recordings failed so far. */
  readonly failed: number;
}

/** Formats of which a file holds one recording alone. */
const SINGLE: readonly Format[] = ["srt", "vtt", "textgrid"];

/** Standard output: transcripts in the files' order, whatever order they come in; of the one whose turn it is, as it grows. */
export class TranscriptPrinter implements TranscriptSink {
  failed = 0;
  readonly #entries: Entry[];
  readonly #json: boolean;
  #turn = 0;

  /** @throws ConfigurationError where the format is no place for several recordings */
  constructor(files: readonly NamedRecording[], { format, characters }: OutputOptions) {
    if (files.length > 1 && SINGLE.includes(format))
      throw new ConfigurationError(
        `--output must name a directory for ${files.length} files as ${format}, but is missing: each makes a file of its own.`,
      );
    this.#json = format === "json";
    this.#entries = files.map(({ file, name }, index) => {
      const named = format === "text" && files.length > 1;
      const writer = named ? new NamedTextWriter(file) : transcriptWriter(format, file, { characters, name });
      const before = this.#json ? (index === 0 ? "[\n" : ",\n") : "";
      return { file, writer, text: before + writer.begin(), done: false };
    });
  }

  async take({ index, ...news }: FileNews): Promise<void> {
    const entry = this.#entries[index]!;
    if ("transcript" in news) {
      entry.text += entry.writer.add(news.transcript);
    } else {
      const error = "error" in news ? news.error : undefined;
      entry.done = true;
      entry.text += entry.writer.end(error);
      if (error !== undefined) {
        this.failed++;
        process.stderr.write(`${error}\n`);
      }
    }
    this.#print();
  }

  #print(): void {
    for (let entry = this.#entries[this.#turn]; entry; entry = this.#entries[++this.#turn]) {
      process.stdout.write(entry.text);
      entry.text = "";
      if (!entry.done) return;
    }
    if (this.#json) process.stdout.write("\n]\n");
  }
}

/** A directory: a file for each recording, complete or absent. */
export class TranscriptDirectory implements TranscriptSink {
  failed = 0;
  readonly #entries: (Entry & { path: string })[];

  /**
   * Makes the directory where there is none.
   *
   * @throws ConfigurationError where a recording is named twice
   * @throws UserError where the directory cannot be written
   */
  static async open(
    files: readonly NamedRecording[],
    directory: string,
    options: OutputOptions,
  ): Promise<TranscriptDirectory> {
    const sink = new TranscriptDirectory(files, directory, options);
    try {
      await makeDirectory(directory);
      await access(directory, constants.W_OK);
    } catch (error) {
      const isFile = (error as NodeJS.ErrnoException).code === "EEXIST";
      throw new UserError(
        isFile
          ? `--output must be a directory to write to, but ${directory} is none: it is a file. Leave --output out: transcripts are printed then.`
          : `--output must be a directory to write to, but ${directory} is none: ${reasonOf(error)}.`,
        { cause: error },
      );
    }
    return sink;
  }

  private constructor(
    files: readonly NamedRecording[],
    directory: string,
    { format, characters }: OutputOptions,
  ) {
    const taken = new Set<string>();
    this.#entries = files.map(({ file, name }) => {
      const path = join(directory, `${name}.${FORMATS[format]}`);
      if (taken.has(path))
        throw new ConfigurationError(
          `files must be named once for --output, but ${file} is named twice. Name it once.`,
        );
      taken.add(path);
      const writer = transcriptWriter(format, file, { characters, name });
      return { file, path, writer, text: writer.begin(), done: false };
    });
  }

  async take({ index, ...news }: FileNews): Promise<void> {
    const entry = this.#entries[index]!;
    if ("transcript" in news) {
      entry.text += entry.writer.add(news.transcript);
    } else if ("error" in news) {
      this.failed++;
      entry.text = "";
      process.stderr.write(`${news.error}\n`);
    } else {
      const text = entry.text + entry.writer.end();
      await makeDirectory(dirname(entry.path));
      await writeFileAtomic(entry.path, text && !text.endsWith("\n") ? `${text}\n` : text);
      entry.text = "";
    }
  }
}
