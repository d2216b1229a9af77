import { BOOLEAN, isObject, type Kind, requireArguments, SAMPLES, TEXT, whole } from "../argument-kinds.js";
import type { AudioSource } from "../audio/audio-source.js";
import { streamAudio } from "../audio/audio-stream.js";
import type { OnNote } from "../audio/decoded-audio.js";
import { SAMPLE_RATE } from "../audio/sample-rate.js";
import { RAW_FORMAT, type RawFormat } from "../audio/wav/raw-format.js";
import type { KnownOptions } from "../known-options.js";
import { requireOptions } from "../known-options.js";
import { samplesPerFrame } from "../model/lengths.js";
import type { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { RecordingTranscript, Transcript } from "../text/formats/transcript.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import {
  type ClipScorer,
  type Emissions,
  emissionsOf,
  FILE_WINDOWS,
  WINDOWS,
  type WindowSeconds,
} from "./emissions/emissions.js";
import { BLOCKS } from "./emissions/windows.js";
import { decodeInTurns } from "./transcript/decode-in-turns.js";
import { PauseFinder } from "./transcript/pauses.js";
import { decodePieces } from "./transcript/pieces.js";
import { transcriptOf } from "./transcript/transcript-of.js";
import { joinPieces } from "./transcript/whole-transcript.js";

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

/** Speech to text by a network that something runs, and a decoder. */
export class SpeechRecognizer {
  /** @param scorer the network */
  constructor(
    /** @internal */
    readonly scorer: ClipScorer,
    readonly tokenizer: CtcTokenizer,
    readonly decoder: CtcDecoder,
  ) {}

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
    const { words = false, signal, onPartial, windows = FILE_WINDOWS, name = "the recording" } = options;
    const emissions = emissionsOf(this.scorer, blocks, { ...windows, name, signal });
    const { secondsPerFrame } = this;
    const pauses = new PauseFinder(this.tokenizer.vocabulary, secondsPerFrame);
    for await (const piece of decodePieces(emissions, this.decoder, pauses, { onPartial, signal }))
      yield await transcriptOf(this.tokenizer, piece, { words, signal, secondsPerFrame });
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
    return await transcriptOf(this.tokenizer, piece, { words, signal, secondsPerFrame });
  }

  get secondsPerFrame(): number {
    return samplesPerFrame(this.scorer.config) / SAMPLE_RATE;
  }
}
