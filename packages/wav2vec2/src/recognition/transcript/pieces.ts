import { joined } from "../../audio/joined.js";
import type { CtcDecoder, Hypothesis } from "../../text/decoding/ctc-decoder.js";
import type { Emissions, WindowEmissions } from "../emissions/emissions.js";
import { decodeInTurns } from "./decode-in-turns.js";
import type { PauseFinder } from "./pauses.js";
import { TextAhead } from "./text-ahead.js";

/** A part of a recording that is decoded for good. */
export interface Piece {
  hypothesis: Hypothesis;
  emissions: Emissions;
  /** Frames of the recording before it. */
  firstFrame: number;
  /** The recording's samples, where it ends with this piece. */
  length?: number | undefined;
}

/**
 * Decodes a stream of emissions piece by piece: what is in memory does not grow with the recording. What the language
 * model knows of the words before goes on from piece to piece. What one window holds is one piece.
 *
 * The event loop has its turn every two seconds of speech.
 *
 * @param onPartial gets the words of the unfinished piece whenever emissions have come, with those that are only just heard
 * @throws the signal's reason where it is aborted
 */
export async function* decodePieces(
  stream: AsyncIterable<WindowEmissions>,
  decoder: CtcDecoder,
  pauses: PauseFinder,
  {
    onPartial,
    signal,
  }: { onPartial?: ((text: string) => void) | undefined; signal?: AbortSignal | undefined },
): AsyncGenerator<Piece> {
  const decoding = decoder.stream();
  const textAhead = onPartial && new TextAhead(decoder);
  let held = new HeldFrames();
  let firstFrame = 0;
  const take = (hypothesis: Hypothesis): Piece => {
    const piece = { hypothesis, emissions: held.take(), firstFrame };
    firstFrame += piece.emissions.frames;
    held = new HeldFrames();
    return piece;
  };
  for await (const { logits, frames, length, ahead } of stream) {
    const whole = length !== undefined && firstFrame === 0 && held.frames === 0;
    const width = logits.length / frames;
    const rows = (from: number, to: number) => logits.subarray(from * width, to * width);
    let begin = 0;
    const push = async (end: number) => {
      held.append(rows(begin, end), end - begin);
      await decodeInTurns(decoding, rows(begin, end), end - begin, signal);
      begin = end;
    };
    for (let frame = 0; frame < frames && !whole; frame++) {
      if (!pauses.push(rows(frame, frame + 1))) continue;
      await push(frame + 1);
      yield take(decoding.cut());
    }
    await push(frames);
    if (length !== undefined) yield { ...take(decoding.finish()), length };
    else if (textAhead) onPartial(textAhead.with(decoding.partial().labels, held.last, ahead));
  }
}

/** Frames of a piece that is still growing. */
class HeldFrames {
  readonly #parts: Float32Array[] = [];
  /** Of the last part. */
  #lastFrames = 0;
  frames = 0;

  append(logits: Float32Array, frames: number): void {
    if (frames === 0) return;
    this.#parts.push(logits.slice());
    this.frames += frames;
    this.#lastFrames = frames;
  }

  /** The scores of the last frame, where there is one. */
  get last(): Float32Array | undefined {
    const part = this.#parts.at(-1);
    return part?.subarray(part.length - part.length / this.#lastFrames);
  }

  take(): Emissions {
    return { logits: joined(this.#parts), frames: this.frames };
  }
}
