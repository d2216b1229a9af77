import { BOOLEAN, type Kind, requireArguments, TEXT } from "../../argument-kinds.js";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { AudioSource } from "../../audio/audio-source.js";
import { streamAudio } from "../../audio/audio-stream.js";
import type { OnNote } from "../../audio/decoded-audio.js";
import { joinInTurns, lengthOf } from "../../audio/join-in-turns.js";
import { UserError } from "../../errors.js";
import { inTurns } from "../../in-turns.js";
import type { KnownOptions } from "../../known-options.js";
import { requireOptions } from "../../known-options.js";
import { samplesPerFrame } from "../../model/lengths.js";
import { type AlignableText, alignableText } from "../../text/alignment/alignable-text.js";
import {
  alignmentSteps,
  type ForcedAlignment,
  framesNeeded,
  WILDCARD,
} from "../../text/alignment/forced-alignment.js";
import { textFit } from "../../text/alignment/text-fit.js";
import { meanProbability, wordTimes } from "../../text/alignment/word-times.js";
import { seconds } from "../../text/formats/rounding.js";
import type { TimedText, Transcript } from "../../text/formats/transcript.js";
import type { CtcTokenizer } from "../../text/tokenizer.js";
import { type ClipScorer, type Emissions, emissionsOf, FILE_WINDOWS } from "../emissions/emissions.js";
import { BLOCKS } from "../emissions/windows.js";

export interface AlignOptions {
  /** The recording's name, for messages. Default: the path or the file's name where the source has one */
  name?: string | undefined;
  /**
   * Whether characters that the vocabulary lacks are looked up in its case, and left out where they are punctuation;
   * words stay as they are written. Default: false
   */
  respell?: boolean | undefined;
  /** Ends it, between two windows and while a stream is silent; its reason is then thrown. */
  signal?: AbortSignal | undefined;
  /** Gets what is odd about audio that is read nevertheless. */
  onNote?: OnNote | undefined;
}

export const ALIGN_OPTIONS = {
  name: TEXT,
  respell: BOOLEAN,
  signal: true,
  onNote: true,
} satisfies KnownOptions<AlignOptions>;

/** Where in a recording its text was said. */
export interface Alignment {
  /** From 0 to the recording's end. */
  transcript: Transcript;
  /** The mean probability of all words' characters, wildcards apart: where it is near 0, other words were said. */
  confidence: number;
  /**
   * How likely the text is beside what the network would say by itself, over the whole recording, from 0 to 1: low too where
   * speech is in no word, which `confidence` does not see.
   */
  fit: number;
  /** Where more was said than the text has, or other words: times, and what the network takes them for. */
  otherSpeech: Pick<TimedText, "text" | "start" | "end">[];
  /** The network's scores of it. */
  emissions: Emissions;
  /** The frames of each label, blanks between them. */
  path: ForcedAlignment;
}

/** Tells where in a recording the words of its text are, by a network that something runs. */
export class SpeechAligner {
  /** @param scorer the network */
  constructor(
    /** @internal */
    readonly scorer: ClipScorer,
    readonly tokenizer: CtcTokenizer,
  ) {}

  get secondsPerFrame(): number {
    return samplesPerFrame(this.scorer.config) / SAMPLE_RATE;
  }

  /**
   * @param source a path, a file's bytes, a stream, samples, of any length: see {@link AudioSource}
   * @param text what is said in it; `*` stands for any speech
   * @throws UserError where the audio cannot be read or is none, where the text is empty, holds characters that the
   * vocabulary lacks or is too long for the audio
   * @throws the signal's reason where it is aborted
   */
  async align(source: AudioSource, text: string, options: AlignOptions = {}): Promise<Alignment> {
    requireOptions("align", options, ALIGN_OPTIONS);
    const { name, respell, signal, onNote } = options;
    const blocks = streamAudio(source, { name, signal, onNote });
    return await this.alignBlocks(blocks, text, { name: name ?? nameOf(source), respell, signal });
  }

  /**
   * {@link align} of audio that is read already.
   *
   * @param blocks mono at 16 kHz in order, in pieces of any size
   */
  async alignBlocks(
    blocks: AsyncIterable<Float32Array>,
    text: string,
    { name = CLIP, respell, signal }: Omit<AlignOptions, "onNote"> = {},
  ): Promise<Alignment> {
    requireArguments("align", { blocks: [blocks, BLOCKS], text: [text, ALIGNED_TEXT] });
    const { tokenizer } = this;
    const sought = alignableText(tokenizer, text, { name, respell }); // before the audio is read, which takes long
    const { length, ...emissions } = await this.#emissions(blocks, name, signal);
    const duration = seconds(length / SAMPLE_RATE);
    const needed = framesNeeded(sought.labels);
    if (needed > emissions.frames)
      throw new UserError(
        `the text of ${name} must fit its ${duration.toFixed(2)} s, which are ${emissions.frames} ` +
          `${emissions.frames === 1 ? "frame" : "frames"}, but needs ${needed}: one for each of ${sought.labels.length} ` +
          "labels and one between two that are equal. " +
          "Is it the text of this recording?",
        { code: "ERR_TEXT" },
      );
    const { size, blankId } = tokenizer.vocabulary;
    const steps = alignmentSteps(emissions.logits, emissions.frames, size, blankId, sought.labels);
    const path = await inTurns(steps, signal);
    const range = { secondsPerFrame: this.secondsPerFrame, startSeconds: 0, endSeconds: duration };
    const words = wordTimes(sought.words, path.spans, range);
    const { fit, other } = await inTurns(
      textFit(emissions.logits, size, blankId, path, this.secondsPerFrame),
      signal,
    );
    return {
      transcript: { text: sought.text, start: 0, end: duration, words },
      confidence: confidenceOf(sought, path),
      fit,
      otherSpeech: other.map(({ start, end, labels }) => ({
        text: tokenizer.decode(labels, { groupTokens: false }),
        start: seconds(start * this.secondsPerFrame),
        end: Math.min(seconds(end * this.secondsPerFrame), duration),
      })),
      emissions,
      path,
    };
  }

  async #emissions(
    blocks: AsyncIterable<Float32Array>,
    name: string,
    signal: AbortSignal | undefined,
  ): Promise<Emissions & { length: number }> {
    const parts: Float32Array[] = [];
    let frames = 0;
    let samples = 0;
    for await (const part of emissionsOf(this.scorer, blocks, { ...FILE_WINDOWS, name, signal })) {
      parts.push(part.logits);
      frames += part.frames;
      samples = part.length ?? samples;
    }
    return { logits: await joinInTurns(parts, new Float32Array(lengthOf(parts))), frames, length: samples };
  }
}

/** What messages call a source whose text is wrong. */
export function nameOf(source: AudioSource): string {
  return typeof source === "string" ? source : CLIP;
}

const CLIP = "the clip";

function confidenceOf({ words, labels }: AlignableText, { spans }: ForcedAlignment): number {
  const sought = words
    .flatMap(({ characters }) => characters)
    .flatMap(({ first, behind }) =>
      spans.slice(first, behind).filter((_, i) => labels[first + i] !== WILDCARD),
    );
  return sought.length > 0 ? meanProbability(sought) : 1; // wildcards fit anything
}

export const ALIGNED_TEXT: Kind = {
  ...TEXT,
  must: "the text that is said",
  advice: () => "Without one, transcribe finds it.",
};
