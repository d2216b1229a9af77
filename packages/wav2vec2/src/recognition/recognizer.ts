import { BOOLEAN, isObject, type Kind, requireArguments, SAMPLES, TEXT, whole } from "../argument-kinds.js";
import type { AudioSource } from "../audio/audio-source.js";
import { streamAudio } from "../audio/audio-stream.js";
import type { OnNote } from "../audio/decoded-audio.js";
import { RAW_FORMAT, type RawFormat } from "../audio/raw-format.js";
import { wrongType } from "../errors.js";
import { tellNote } from "../files/tell-note.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import {
  type CtcModel,
  findCtcModel,
  LOAD_CTC_OPTIONS,
  type LoadCtcOptions,
} from "../pretrained/ctc-directory.js";
import { CTC_MODEL, isCtcModel } from "../pretrained/ctc-model-kind.js";
import { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { DecodingOptions } from "../text/decoding/decoding-options.js";
import type { RecordingTranscript, Transcript } from "../text/formats/transcript.js";
import type { Emissions } from "./ctc-batches.js";
import { decodeInTurns } from "./decode-in-turns.js";
import { DECODING_CHOICE_OPTIONS, type DecodingChoice, makeDecoder } from "./decoding-choice.js";
import { WINDOWS, type WindowSeconds } from "./emissions.js";
import { recognizeBlocks, secondsPerFrame } from "./recognize-blocks.js";
import { transcriptOf } from "./transcript-of.js";
import { unusedLanguageModel } from "./unused-language-model.js";
import { joinPieces } from "./whole-transcript.js";
import { BLOCKS } from "./windows.js";

export interface RecognizerOptions extends LoadCtcOptions, DecodingChoice {
  /** Gets what is odd about the model or the language model. */
  onNote?: ((text: string) => void) | undefined;
}

/** What is wanted of a recording, and how it is read. */
export interface TranscribeOptions {
  /** Whether words come with their times and confidence. Default: false, `words` are then empty */
  words?: boolean | undefined;
  /** Ends it, between two windows and while a stream is silent; its reason is then thrown. */
  signal?: AbortSignal | undefined;
  /** Gets the words of the piece that is not settled yet, whenever a window was recognised. */
  onPartial?: ((text: string) => void) | undefined;
  /** How much audio is recognised at once. Default: `FILE_WINDOWS`, 30 s; `LIVE_WINDOWS` for what is being said now */
  windows?: WindowSeconds | undefined;
  /** Of bytes that are samples without a header. */
  raw?: RawFormat | undefined;
  /** The recording's name, for messages. Default: the path or the file's name where the source has one */
  name?: string | undefined;
  /** Gets what is odd about audio that is read nevertheless. */
  onNote?: OnNote | undefined;
}

export const TRANSCRIBE_OPTIONS = {
  words: BOOLEAN,
  signal: true,
  onPartial: true,
  windows: WINDOWS,
  raw: RAW_FORMAT,
  name: TEXT,
  onNote: true,
} satisfies KnownOptions<TranscribeOptions>;

const EMISSIONS: Kind = {
  must: "{ logits, frames }",
  holds: (value) => isObject(value) && SAMPLES.holds(value.logits) && whole(0).holds(value.frames),
};

const RECOGNIZED: Kind = {
  ...CTC_MODEL,
  advice(value) {
    return typeof value === "string"
      ? `Load it: await loadRecognizer(${JSON.stringify(value)}).`
      : CTC_MODEL.advice?.(value);
  },
};

/** A model and a way to decode: speech to text. */
export class Recognizer {
  readonly decoder: CtcDecoder;

  /**
   * A recogniser of a model in memory, such as one that was just trained.
   *
   * @param ctc is set to evaluation
   * @param decoding default: a beam search of 16 prefixes
   * @throws ConfigurationError where an option of decoding is out of range
   */
  constructor(
    readonly ctc: CtcModel,
    decoding: CtcDecoder | DecodingOptions = {},
  ) {
    requireArguments("new Recognizer", { ctc: [ctc, RECOGNIZED] });
    this.decoder = decoding instanceof CtcDecoder ? decoding : new CtcDecoder(ctc.tokenizer, decoding);
    ctc.model.eval();
  }

  /**
   * A whole recording, of any length.
   *
   * @param source a path, a file's bytes, a stream, samples: see {@link AudioSource}
   * @param options.onPartial gets all words so far
   * @throws UserError where the audio cannot be read or is none; `code` says what was wrong
   * @throws the signal's reason where it is aborted
   */
  async transcribe(source: AudioSource, options: TranscribeOptions = {}): Promise<RecordingTranscript> {
    requireOptions("transcribe", options, TRANSCRIBE_OPTIONS);
    return await joinPieces((onPartial) => this.stream(source, { ...options, onPartial }), options.onPartial);
  }

  /**
   * A recording of any length, piece after piece as they are settled, at constant memory. A recording that fits one
   * window is one piece, others are divided in pauses.
   *
   * @param source as of {@link transcribe}
   * @returns a transcript for each piece, also of those without words; times are those of the recording
   * @throws as {@link transcribe}, behind the pieces that came before
   */
  async *stream(source: AudioSource, options: TranscribeOptions = {}): AsyncGenerator<Transcript> {
    requireOptions("stream", options, TRANSCRIBE_OPTIONS);
    const { raw, name, signal, onNote } = options;
    yield* this.streamBlocks(streamAudio(source, { raw, name, signal, onNote }), options);
  }

  /**
   * {@link stream} of audio that is read already.
   *
   * @param blocks mono at 16 kHz in order, in pieces of any size
   */
  async *streamBlocks(
    blocks: AsyncIterable<Float32Array>,
    options: Omit<TranscribeOptions, "raw" | "onNote"> = {},
  ): AsyncGenerator<Transcript> {
    requireArguments("streamBlocks", { blocks: [blocks, BLOCKS] });
    requireOptions("streamBlocks", options, TRANSCRIBE_OPTIONS);
    yield* recognizeBlocks(this.ctc, this.decoder, blocks, options);
  }

  /**
   * The transcript of a recording whose emissions are there as a whole.
   *
   * @param length its samples
   */
  async read(
    emissions: Emissions,
    length: number,
    options: Pick<TranscribeOptions, "words" | "signal"> = {},
  ): Promise<Transcript> {
    requireOptions("read", options, { words: BOOLEAN, signal: true });
    const { words = false, signal } = options;
    requireArguments("read", { emissions: [emissions, EMISSIONS], length: [length, whole(0)] });
    const { secondsPerFrame } = this;
    const decoding = this.decoder.stream();
    await decodeInTurns(decoding, emissions.logits, emissions.frames, signal);
    const piece = { hypothesis: decoding.finish(), emissions, firstFrame: 0, length };
    return await transcriptOf(this.ctc.tokenizer, piece, { words, signal, secondsPerFrame });
  }

  get secondsPerFrame(): number {
    return secondsPerFrame(this.ctc.model.config);
  }
}

export const RECOGNIZER_OPTIONS = {
  ...LOAD_CTC_OPTIONS,
  ...DECODING_CHOICE_OPTIONS,
} satisfies KnownOptions<RecognizerOptions>;

/**
 * Loads a model once, to transcribe many clips.
 *
 * @param nameOrDirectory model directory or Hub id
 * @param options.device a GPU where there is one, when left out
 * @throws UserError when there is no such model, it is no recogniser, or the language model cannot be used
 */
export async function loadRecognizer(
  nameOrDirectory: string,
  options: RecognizerOptions = {},
): Promise<Recognizer> {
  if (isCtcModel(nameOrDirectory))
    throw wrongType(
      "The model of loadRecognizer must be a directory or a Hub id, but is a model in memory. Call new Recognizer(ctc, decoding).",
    );
  requireOptions("loadRecognizer", options, RECOGNIZER_OPTIONS);
  const { onNote, ...choice } = options;
  const ctc = await findCtcModel(nameOrDirectory, { ...choice, onNote, device: choice.device ?? "auto" });
  tellNote({ onNote }, await unusedLanguageModel(nameOrDirectory, choice.languageModel));
  return new Recognizer(ctc, await makeDecoder(ctc.tokenizer, choice, onNote));
}
