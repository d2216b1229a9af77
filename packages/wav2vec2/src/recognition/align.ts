import { SAMPLE_RATE } from "../audio/audio-file.js";
import { UserError } from "../errors.js";
import { samplesPerFrame } from "../model/lengths.js";
import { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import { type AlignableText, alignableText } from "../text/alignment/alignable-text.js";
import {
  type ForcedAlignment,
  forcedAlignment,
  framesNeeded,
  WILDCARD,
} from "../text/alignment/forced-alignment.js";
import { meanProbability, wordTimes } from "../text/alignment/word-times.js";
import type { Transcript } from "../text/formats/transcript.js";
import type { Emissions } from "./ctc-batches.js";
import { emissionsOf, FILE_WINDOWS } from "./emissions.js";

export interface AlignOptions {
  /** The recording's name, for messages. */
  name?: string | undefined;
  /**
   * Whether characters that the vocabulary lacks are looked up in its case, and left out where they are punctuation;
   * words stay as they are written. Default: false
   */
  normalize?: boolean | undefined;
}

/** Where in a recording its text was said. */
export interface Alignment {
  /** From 0 to the recording's end. */
  transcript: Transcript;
  /** The mean probability of all words' characters, wildcards apart: where it is near 0, other words were said. */
  confidence: number;
  /** What the network heard. */
  emissions: Emissions;
  /** The frames of each label, blanks between them. */
  path: ForcedAlignment;
}

/** A model that tells where in a recording the words of its text are. */
export class Aligner {
  constructor(readonly ctc: CtcModel) {
    ctc.model.eval();
  }

  get secondsPerFrame(): number {
    return samplesPerFrame(this.ctc.model.config) / SAMPLE_RATE;
  }

  /**
   * @param audio mono at 16 kHz, of any length; also in order in pieces of any size
   * @param text what is said in it; `*` stands for any speech
   * @throws UserError where there is no audio or samples are not finite, where the text is empty, holds characters that
   * the vocabulary lacks or is too long for the audio, and whatever `audio` throws
   */
  async align(
    audio: Float32Array | AsyncIterable<Float32Array> | Iterable<Float32Array>,
    text: string,
    { name = "the clip", normalize }: AlignOptions = {},
  ): Promise<Alignment> {
    const { tokenizer } = this.ctc;
    const sought = alignableText(tokenizer, text, { name, normalize }); // before the audio is heard, which takes long
    const { length, ...emissions } = await this.#hear(audio instanceof Float32Array ? [audio] : audio, name);
    const seconds = length / SAMPLE_RATE;
    const needed = framesNeeded(sought.labels);
    if (needed > emissions.frames)
      throw new UserError(
        `the text of ${name} must fit its ${seconds.toFixed(2)} s, which are ${emissions.frames} ` +
          `${emissions.frames === 1 ? "frame" : "frames"}, but needs ${needed}: one for each of ${sought.labels.length} ` +
          "labels and one between two that are equal. " +
          "Is it the text of this recording?",
        { code: "ERR_TEXT" },
      );
    const { size, blankId } = tokenizer.vocabulary;
    const path = forcedAlignment(emissions.logits, emissions.frames, size, blankId, sought.labels);
    const range = { secondsPerFrame: this.secondsPerFrame, startSeconds: 0, endSeconds: seconds };
    const words = wordTimes(sought.words, path.spans, range);
    return {
      transcript: { text: sought.text, start: 0, end: seconds, words },
      confidence: confidenceOf(sought, path),
      emissions,
      path,
    };
  }

  async #hear(
    blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    name: string,
  ): Promise<Emissions & { length: number }> {
    const parts: Float32Array[] = [];
    let frames = 0;
    let samples = 0;
    for await (const part of emissionsOf(this.ctc, blocks, { ...FILE_WINDOWS, name })) {
      parts.push(part.logits);
      frames += part.frames;
      samples = part.length ?? samples;
    }
    const logits = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    for (const part of parts) {
      logits.set(part, end);
      end += part.length;
    }
    return { logits, frames, length: samples };
  }
}

function confidenceOf({ words, labels }: AlignableText, { spans }: ForcedAlignment): number {
  const sought = words
    .flatMap(({ characters }) => characters)
    .flatMap(({ first, behind }) =>
      spans.slice(first, behind).filter((_, i) => labels[first + i] !== WILDCARD),
    );
  return sought.length > 0 ? meanProbability(sought) : 1; // wildcards fit anything
}

/**
 * Loads a model once, to align many recordings.
 *
 * @param nameOrDirectory model directory or Hub id
 * @throws UserError when there is no such model or it is no recogniser
 */
export async function loadAligner(nameOrDirectory: string, options: LoadCtcOptions = {}): Promise<Aligner> {
  return new Aligner(await loadCtcModel(nameOrDirectory, { ...options, device: options.device ?? "auto" }));
}
