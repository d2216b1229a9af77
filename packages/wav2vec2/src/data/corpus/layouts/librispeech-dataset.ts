import { BOOLEAN, PATH, requireArguments, TEXTS, UTTERANCES } from "../../../argument-kinds.js";
import { readAudio } from "../../../audio/audio-file.js";
import { describeValue } from "../../../describe-type.js";
import { ConfigurationError, UserError } from "../../../errors.js";
import { type KnownOptions, requireOptions } from "../../../known-options.js";
import type { TranscribedUtterance, Utterance } from "../../utterance.js";
import { CORPUS_OPTIONS, type CorpusOptions, type CorpusProblem, readCorpus } from "../corpus.js";
import { filterByDuration, truncateDuration } from "../filter.js";
import { readSpeakers, type SpeakerDetails } from "./librispeech-speakers.js";

export interface DatasetOptions extends CorpusOptions {
  /** Names of splits; a manifest or a directory of audio files has all in one without them. */
  splits?: readonly string[] | undefined;
  /** Shorter utterances are left out. */
  minSeconds?: number | undefined;
  /** Longer utterances are left out, or cut. */
  maxSeconds?: number | undefined;
  /** Cuts utterances longer than `maxSeconds` instead. Only without transcripts, which would be longer than the audio. */
  truncate?: boolean | undefined;
}

const OPTIONS = {
  ...CORPUS_OPTIONS,
  splits: {
    ...TEXTS,
    must: "a list of names of splits",
    advice: (value: unknown) => (typeof value === "string" ? "Give [name]." : undefined),
  },
  minSeconds: true,
  maxSeconds: true,
  truncate: BOOLEAN,
} satisfies KnownOptions<DatasetOptions>;

export interface Speaker extends SpeakerDetails {
  utterances: number;
  seconds: number;
}

/**
 * Speech of a corpus, in LibriSpeech's layout or any other that `readCorpus` takes: what there is, and samples on
 * request.
 *
 *     const dataset = await LibriSpeechDataset.open("LibriSpeech", { splits: ["dev-clean"] });
 *     for (const { id, seconds, text } of dataset) console.log(id, seconds, text);
 *     const { audio } = await dataset.read(0);
 *
 * @template Clip what is known of each; without transcripts there is no `text`
 */
export class LibriSpeechDataset<Clip extends Utterance = Utterance> implements Iterable<Clip> {
  /** By id, those that occur; with sex and name where the corpus has SPEAKERS.TXT. */
  readonly speakers: ReadonlyMap<string, Readonly<Speaker>>;
  /** Numbers of chapters, sorted. */
  readonly chapters: readonly string[];

  private constructor(
    /** Sorted by id. */
    readonly utterances: readonly Clip[],
    /** As given when it was opened. */
    readonly splits: readonly string[],
    /** What was left out because something was wrong with it; empty unless `onProblem` is `skip`. */
    readonly problems: readonly CorpusProblem[],
    /** How many utterances were left out by their duration. */
    readonly tooShort: number,
    readonly tooLong: number,
    details: ReadonlyMap<string, SpeakerDetails>,
  ) {
    if (!UTTERANCES.holds(utterances) || !(details instanceof Map))
      throw new ConfigurationError(
        "new LibriSpeechDataset must be called by LibriSpeechDataset.open alone, but is called with something else. Call await LibriSpeechDataset.open(root).",
      );
    const speakers = new Map<string, Speaker>();
    const chapters = new Set<string>();
    for (const { speaker, chapter, seconds } of utterances) {
      if (chapter !== undefined) chapters.add(chapter);
      if (speaker === undefined) continue;
      const known = speakers.get(speaker) ?? { ...details.get(speaker), utterances: 0, seconds: 0 };
      known.utterances++;
      known.seconds += seconds;
      speakers.set(speaker, known);
    }
    this.speakers = speakers;
    this.chapters = [...chapters].sort();
  }

  /**
   * @param root directory or manifest, see `readCorpus`
   * @throws ConfigurationError where durations are no range, or `truncate` comes with transcripts or without
   * `maxSeconds`; UserError as `readCorpus` does, and where no utterance is of such a duration
   */
  static async open(
    root: string,
    options?: DatasetOptions & { transcripts?: "required" | undefined },
  ): Promise<LibriSpeechDataset<TranscribedUtterance>>;
  static async open(root: string, options: DatasetOptions): Promise<LibriSpeechDataset>;
  static async open(root: string, options: DatasetOptions = {}): Promise<LibriSpeechDataset> {
    requireArguments("LibriSpeechDataset.open", { root: [root, PATH] });
    requireOptions("LibriSpeechDataset.open", options, OPTIONS);
    const { splits, minSeconds = 0, maxSeconds = Number.POSITIVE_INFINITY, truncate, ...corpus } = options;
    if (!(minSeconds >= 0 && minSeconds <= maxSeconds && maxSeconds > 0))
      throw new ConfigurationError(
        `minSeconds must be from 0 to maxSeconds, but they are ${minSeconds} and ${maxSeconds}.`,
      );
    if (truncate && corpus.transcripts !== "none")
      throw new ConfigurationError(
        "truncate must come with transcripts: none, but transcripts are required: they would be longer than the audio. " +
          "Leave truncate out: longer utterances are left out then.",
      );
    if (truncate && !(maxSeconds >= 0.04 && maxSeconds < Number.POSITIVE_INFINITY))
      throw new ConfigurationError(
        `truncate must come with maxSeconds of 0.04 or more, but it is ${maxSeconds}.`,
      );
    if (splits?.length === 0)
      throw new ConfigurationError("splits must name a split, but is empty. Name one or leave splits out.");
    const { utterances, problems } = await readCorpus(root, splits?.join("+"), corpus);
    const cut = truncate ? truncateDuration(utterances, maxSeconds) : utterances;
    const { kept, tooShort, tooLong } = filterByDuration(cut, { minSeconds, maxSeconds });
    if (kept.length === 0 && utterances.length > 0)
      throw new UserError(
        `${root} must hold utterances of ${minSeconds} to ${maxSeconds} s, but ${tooShort} are shorter and ` +
          `${tooLong} longer. Change minSeconds or maxSeconds.`,
      );
    return new LibriSpeechDataset(kept, splits ?? [], problems, tooShort, tooLong, readSpeakers(root));
  }

  get length(): number {
    return this.utterances.length;
  }

  get hours(): number {
    return this.utterances.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  }

  /** @throws ConfigurationError where there is no utterance `index` */
  get(index: number): Clip {
    const utterance = this.utterances[index];
    if (utterance) return utterance;
    throw new ConfigurationError(
      `index must be a whole number from 0 to ${this.length - 1}, but is ${describeValue(index)}.`,
    );
  }

  /**
   * An utterance with its samples, [samples] at 16 kHz, full scale [-1, 1).
   * @throws UserError naming the file where it is missing or corrupt; ConfigurationError where there is no utterance `index`
   */
  async read(index: number): Promise<Clip & { audio: Float32Array }> {
    const utterance = this.get(index);
    const { path, start, end } = utterance;
    return { ...utterance, audio: await readAudio(path, { start, end }) };
  }

  [Symbol.iterator](): IterableIterator<Clip> {
    return this.utterances[Symbol.iterator]();
  }
}
