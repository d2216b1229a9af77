import { turn } from "#platform/turn";
import { type Kind, OBJECT } from "../../argument-kinds.js";
import { SAMPLE_RATE } from "../../audio/sample-rate.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError, UserError } from "../../errors.js";
import type { KnownOptions } from "../../known-options.js";
import { requireOptions } from "../../known-options.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { minimumSamples, samplesPerFrame } from "../../model/lengths.js";
import { clipSamples } from "../clip-samples.js";
import { type Window, type WindowSizes, windows } from "./windows.js";

/** Scores of the vocabulary's tokens for some frames of a recording. */
export interface Emissions {
  /** [frames * vocabulary], row by row, before any softmax */
  logits: Float32Array;
  frames: number;
}

/** A network that scores a clip at a time, whatever runs it. */
export interface ClipScorer {
  config: Wav2Vec2Config;
  /** Whether clips are brought to zero mean and unit variance first. */
  normalize: boolean;
  /** @param samples [samples], as the network takes them, at least as many as a frame needs */
  score(samples: Float32Array): Emissions | Promise<Emissions>;
}

/** A window's part of them. */
export interface WindowEmissions extends Emissions {
  /** The recording's samples, where it ends with them. */
  length: number | undefined;
  /** Of the frames behind them that the window saw: a later one, which sees more, gives them again. */
  ahead: Emissions;
}

/** Of windows, in seconds. */
export interface WindowSeconds {
  /** New audio a window adds, at most. */
  step: number;
  /** What the first one adds, at most; what fits it and `after` whole is one window. */
  first: number;
  /**
   * From how much new audio on a window is computed, so that words of live audio come sooner and windows are larger where the
   * network is behind. Default: as much as it adds at most
   */
  least?: number | undefined;
  /** Audio before that it sees besides. */
  before: number;
  /** And behind. */
  after: number;
}

/** Of files: 30 s at a time, about as long as the longest clips that models are trained on. */
export const FILE_WINDOWS: WindowSeconds = { step: 20, first: 25, before: 5, after: 5 };
const WINDOW_OPTIONS = {
  step: true,
  first: true,
  least: true,
  before: true,
  after: true,
} satisfies KnownOptions<WindowSeconds>;
/** What the option `windows` must be. */
export const WINDOWS: Kind = { ...OBJECT, advice: () => "Give FILE_WINDOWS or LIVE_WINDOWS." };
/** Of live audio: words are there after two seconds. */
export const LIVE_WINDOWS: WindowSeconds = { step: 1, first: 1, before: 6, after: 1 };

/**
 * Scores of a recording of any length, window after window, as if it were computed whole: each frame's come from a
 * window that shows the seconds around it. What the model normalises by is each window's own. The event loop has its turn
 * behind each window.
 *
 * @param blocks samples at 16 kHz in order, in pieces of any size
 * @param name the recording's name, for messages
 * @throws UserError where there is no audio, a sample is not finite or the model's weights are not, or a window's
 * seconds are no numbers
 * @throws the signal's reason where it is aborted
 */
export async function* emissionsOf(
  scorer: ClipScorer,
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  { name, signal, ...seconds }: WindowSeconds & { name: string; signal?: AbortSignal | undefined },
): AsyncGenerator<WindowEmissions> {
  const sizes = inSamples(seconds, scorer.config);
  let length: number | undefined;
  for await (const window of windows(blocks, sizes)) {
    length = window.to === undefined ? window.start + window.samples.length : undefined;
    signal?.throwIfAborted();
    const samples = clipSamples(window.samples, name, scorer.normalize);
    const scores = await scorer.score(lengthened(samples, minimumSamples(scorer.config)));
    signal?.throwIfAborted();
    yield { ...partsOf(scores, window, sizes.unit), length };
    await turn();
  }
  if (length === undefined)
    throw new UserError(`${name} must hold audio, but is empty.`, { code: "ERR_AUDIO_EMPTY" });
}

function inSamples(seconds: WindowSeconds, config: Wav2Vec2Config): WindowSizes {
  requireOptions("windows", seconds, WINDOW_OPTIONS);
  for (const name of Object.keys(WINDOW_OPTIONS) as (keyof WindowSeconds)[]) {
    const value: unknown = seconds[name];
    if (value === undefined && name === "least") continue;
    if (typeof value !== "number" || !(value >= 0 && Number.isFinite(value)))
      throw new ConfigurationError(
        `windows.${name} must be a number of seconds, but is ${describeValue(value)}. Give step, first, before and ` +
          "after, or FILE_WINDOWS or LIVE_WINDOWS.",
      );
  }
  const { step, first, least, before, after } = seconds;
  const unit = samplesPerFrame(config);
  const whole = (value: number) => Math.round((value * SAMPLE_RATE) / unit) * unit;
  const some = (value: number) => Math.max(unit, whole(value));
  // A window's last frame reads some samples of the next.
  const reach = Math.ceil((minimumSamples(config) - unit) / unit) * unit;
  return {
    step: some(step),
    first: some(first),
    least: least === undefined ? undefined : some(least),
    before: whole(before),
    after: Math.max(reach, whole(after)),
    unit,
  };
}

/** The window's own part of its frames, and what lies behind. */
function partsOf(
  { logits, frames }: Emissions,
  { start, from, to }: Window,
  unit: number,
): Emissions & { ahead: Emissions } {
  const tokens = frames === 0 ? 0 : logits.length / frames;
  const part = (begin: number, end: number): Emissions => ({
    logits: logits.slice(begin * tokens, end * tokens),
    frames: end - begin,
  });
  const first = Math.min(frames, (from - start) / unit);
  const end = to === undefined ? frames : Math.min(frames, first + (to - from) / unit);
  return { ...part(first, end), ahead: part(end, frames) };
}

/** With zeros, which count as audio, where it is too short for a frame. */
function lengthened(samples: Float32Array, least: number): Float32Array {
  if (samples.length >= least) return samples;
  const longer = new Float32Array(least);
  longer.set(samples);
  return longer;
}
