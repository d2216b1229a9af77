import { isObject, type Kind } from "../../argument-kinds.js";
import { quietPlace } from "../../audio/quiet-place.js";
import { describeType } from "../../describe-type.js";
import { UserError, wrongType } from "../../errors.js";

/** Samples of a recording in order, in pieces of any size. */
export const BLOCKS: Kind = {
  must: "blocks of samples at 16 kHz, one after another",
  holds: (value) => isObject(value) && (Symbol.asyncIterator in value || Symbol.iterator in value),
  advice: (value) =>
    typeof value === "string" ? `Read the file: streamAudio(${JSON.stringify(value)}).` : "Give [samples].",
};

/** How a recording is divided for a network that sees a stretch of it at a time. All in samples. */
export interface WindowSizes {
  /** New samples that a window adds, at most. */
  step: number;
  /** What the first window adds, at most; with nothing before it, it can take more. */
  first: number;
  /**
   * From how many new samples on a window is made, even where too few lie behind them to take any. Default: where there are
   * as many as it adds at most
   */
  least?: number | undefined;
  /** Samples before them that it sees besides, so that no frame lies at an edge. */
  before: number;
  /** And behind them. */
  after: number;
  /** Windows begin and end at multiples of this, the network's samples per frame. */
  unit: number;
}

/** A stretch of a recording; its frames from `from` to `to` are taken, the others have seen too little. */
export interface Window {
  samples: Float32Array;
  /** Where the samples begin in the recording. */
  start: number;
  from: number;
  /** Undefined: all to the end, the recording's last window. */
  to: number | undefined;
}

/** Samples that are taken in at once. */
const LARGEST = 1 << 16;
/** Cuts are looked for in this last share of a step. */
const SEARCHED = 0.3;

/**
 * Divides a recording of any length into overlapping windows, each as soon as its samples are there. The parts that are
 * taken meet at quiet places and cover the recording once. What fits the first window whole becomes one.
 *
 * @param blocks samples in order, in pieces of any size
 * @throws what `blocks` throws; a UserError, such as that a file is cut, behind the windows of all that came before it
 */
export async function* windows(
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  { step, first, least, before, after, unit }: WindowSizes,
): AsyncGenerator<Window> {
  const held = new HeldSamples();
  let from = 0;
  /** Up to where windows have seen. */
  let seen = 0;
  let fault: UserError | undefined;
  for await (const block of parts(blocks, (error) => (fault = error))) {
    held.append(block);
    for (;;) {
      const most = from ? step : first;
      const there = held.end - after - from;
      if (there <= most && (least === undefined || held.end - seen < least)) break;
      const to = there < unit ? from : cutPlace(held, from, from + Math.min(most, there), unit);
      const end = there <= most ? held.end : to + after;
      const start = Math.max(0, from - before);
      yield { samples: held.slice(start, end), start, from, to };
      seen = end;
      from = to;
      held.forget(Math.max(0, from - before));
    }
  }
  const start = Math.max(0, from - before);
  if (held.end > 0) yield { samples: held.slice(start, held.end), start, from, to: undefined };
  if (fault) throw fault;
}

/** What is held and moved stays small where a recording comes as one block. */
async function* parts(
  blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>,
  onFault: (error: UserError) => void,
): AsyncGenerator<Float32Array> {
  try {
    for await (const block of blocks) {
      if (!(block instanceof Float32Array))
        throw wrongType(
          `blocks must be Float32Arrays of samples at 16 kHz, one after another, but one is ${describeType(block)}.`,
        );
      for (let at = 0; at < block.length; at += LARGEST) yield block.subarray(at, at + LARGEST);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onFault(error);
  }
}

function cutPlace(held: HeldSamples, from: number, latest: number, unit: number): number {
  const earliest = Math.floor(latest - SEARCHED * (latest - from));
  const searched = held.slice(earliest, latest);
  const place = earliest + quietPlace(searched, 0, searched.length);
  return Math.max(from + unit, Math.floor(place / unit) * unit);
}

/** The newest samples of a recording. */
class HeldSamples {
  #samples = new Float32Array(0);
  #begin = 0;
  #length = 0;

  /** Samples of the recording so far. */
  get end(): number {
    return this.#begin + this.#length;
  }

  append(block: Float32Array): void {
    const length = this.#length + block.length;
    if (length > this.#samples.length) {
      const larger = new Float32Array(Math.max(length, 2 * this.#samples.length));
      larger.set(this.#samples.subarray(0, this.#length));
      this.#samples = larger;
    }
    this.#samples.set(block, this.#length);
    this.#length = length;
  }

  /** A copy of those from `start` to before `end`, places in the recording. */
  slice(start: number, end: number): Float32Array {
    return this.#samples.slice(start - this.#begin, end - this.#begin);
  }

  /** Lets go of all before `start`. */
  forget(start: number): void {
    this.#samples.copyWithin(0, start - this.#begin, this.#length);
    this.#length -= start - this.#begin;
    this.#begin = start;
  }
}
