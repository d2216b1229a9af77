import { SAMPLE_RATE } from "../audio/audio-file.js";
import { samplesPerFrame } from "../model/lengths.js";
import { type CtcModel, type LoadCtcOptions, loadCtcModel } from "../pretrained/ctc-directory.js";
import type { CtcDecoder } from "../text/decoding/ctc-decoder.js";
import type { Transcript } from "../text/formats/transcript.js";
import { clipSamples } from "./clip-samples.js";
import type { Emissions } from "./ctc-batches.js";
import { type DecodingChoice, makeDecoder } from "./decoding-choice.js";
import { emissionsOf, FILE_WINDOWS, type WindowSeconds } from "./emissions.js";
import { PauseFinder } from "./pauses.js";
import { decodePieces } from "./pieces.js";
import { transcriptOf } from "./transcript-of.js";

export interface RecognizerOptions extends LoadCtcOptions, DecodingChoice {
  /** Hears what is odd about the language model. */
  onNote?: ((text: string) => void) | undefined;
}

export interface ListenOptions {
  /** The recording's name, for messages. Default: "the recording" */
  name?: string | undefined;
  /** Whether words get their times and confidence; without, transcripts hold text alone. Default: true */
  times?: boolean | undefined;
  /** Default: 30 s at a time. */
  windows?: WindowSeconds | undefined;
  /** Hears the words of the unfinished piece whenever some audio was heard. */
  onPartial?: ((text: string) => void) | undefined;
}

/** A model and a way to decode: speech to text. */
export class Recognizer {
  constructor(
    readonly ctc: CtcModel,
    readonly decoder: CtcDecoder,
  ) {
    ctc.model.eval();
  }

  /**
   * @param samples mono at 16 kHz, of any length
   * @param name the clip's name, for messages
   * @throws UserError where they are none or not all finite
   */
  async transcribe(samples: Float32Array, name = "the clip"): Promise<string> {
    clipSamples(samples, name, false); // all of them before any is heard
    const texts: string[] = [];
    for await (const { text } of this.listen([samples], { name, times: false })) texts.push(text);
    return texts.filter(Boolean).join(" ");
  }

  /**
   * A recording of any length, piece after piece as they are settled, at constant memory. A recording that fits one
   * window is one piece, others are divided in pauses.
   *
   * @param blocks mono at 16 kHz in order, in pieces of any size
   * @returns a transcript for each piece, also of those without words; times are those of the recording
   * @throws UserError where samples are not finite, and whatever `blocks` throws
   */
  async *listen(
    blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
    { name = "the recording", times = true, windows = FILE_WINDOWS, onPartial }: ListenOptions = {},
  ): AsyncGenerator<Transcript> {
    const emissions = emissionsOf(this.ctc, blocks, { ...windows, name });
    const pauses = new PauseFinder(this.ctc.tokenizer.vocabulary, this.secondsPerFrame);
    for await (const piece of decodePieces(emissions, this.decoder, pauses, onPartial))
      yield transcriptOf(this.ctc.tokenizer, piece, { times, secondsPerFrame: this.secondsPerFrame });
  }

  /**
   * The transcript of a recording that was heard whole.
   *
   * @param length its samples
   */
  read(
    emissions: Emissions,
    length: number,
    { times = true }: Pick<ListenOptions, "times"> = {},
  ): Transcript {
    const hypothesis = this.decoder.decode(emissions.logits, emissions.frames);
    const piece = { hypothesis, emissions, firstFrame: 0, length };
    return transcriptOf(this.ctc.tokenizer, piece, { times, secondsPerFrame: this.secondsPerFrame });
  }

  get secondsPerFrame(): number {
    return samplesPerFrame(this.ctc.model.config) / SAMPLE_RATE;
  }
}

/**
 * Loads a model once, to transcribe many clips.
 *
 * @param nameOrDirectory model directory or Hub id
 * @param options.device a GPU where there is one, when left out
 * @throws UserError when there is no such model, it is no recogniser, or the language model cannot be used
 */
export async function loadRecognizer(
  nameOrDirectory: string,
  { onNote, ...options }: RecognizerOptions = {},
): Promise<Recognizer> {
  const ctc = await loadCtcModel(nameOrDirectory, {
    ...options,
    onNote,
    device: options.device ?? "auto",
  });
  return new Recognizer(ctc, await makeDecoder(ctc.tokenizer, options, onNote));
}
