import type { Steps } from "../../in-turns.js";
import { type ForcedAlignment, WILDCARD } from "./forced-alignment.js";

/** From how much less likely a frame's token is than the likeliest one that something else counts as said there: a tenth. */
const ELSE = Math.log(0.1);
/** Tokens that a network may take for others in any recording; more of them near each other are words. */
const MISHEARD = 2;
/** Seconds between two tokens that belong together. */
const TOGETHER = 0.6;

/** Ten seconds of speech. */
const FRAMES_A_STEP = 500;

/** Speech that a text does not have, or has other words for. */
export interface OtherSpeech {
  /** First frame. */
  start: number;
  /** The frame behind the last. */
  end: number;
  /** What the network says of these frames by itself: repeats collapsed, blanks dropped. */
  labels: Int32Array;
}

/** How an alignment compares with what the network says where it is free. */
export interface TextFit {
  /**
   * From 0 to 1, where the text is what the network would say: the mean over all frames, those of silence and of speech
   * without a label too, of how likely the path is beside the likeliest token (geometric mean of the ratios).
   */
  fit: number;
  other: OtherSpeech[];
}

/**
 * What the confidence of a text's own labels cannot tell: speech between them, and beside them, that the text leaves out.
 * In steps. A path has blanks there, or stretches its labels over it, at frames where the network is sure of other tokens.
 *
 * @param logits [frames * size], as of the alignment
 * @param secondsPerFrame from one frame to the next
 */
export function* textFit(
  logits: Float32Array,
  size: number,
  blankId: number,
  { path, scores }: Pick<ForcedAlignment, "path" | "scores">,
  secondsPerFrame: number,
): Steps<TextFit> {
  const gap = TOGETHER / secondsPerFrame;
  const other: OtherSpeech[] = [];
  let sum = 0;
  let open: { start: number; end: number; labels: number[] } | undefined;
  const close = () => {
    if (open && open.labels.length > MISHEARD) other.push({ ...open, labels: Int32Array.from(open.labels) });
    open = undefined;
  };
  let before = blankId;
  for (let frame = 0; frame < path.length; frame++) {
    const row = logits.subarray(frame * size, (frame + 1) * size);
    const { token, logProbability } = likeliest(row);
    const isFree = path[frame] === WILDCARD;
    const difference = isFree ? 0 : Math.min(0, scores[frame]! - logProbability);
    sum += difference;
    const isOther = difference < ELSE && token !== blankId;
    if (open && frame - open.end > gap) close();
    if (isOther) {
      open ??= { start: frame, end: frame, labels: [] };
      open.end = frame + 1;
      if (token !== before) open.labels.push(token);
    }
    before = token;
    if (frame % FRAMES_A_STEP === FRAMES_A_STEP - 1) yield;
  }
  close();
  return { fit: path.length === 0 ? 1 : Math.exp(sum / path.length), other };
}

function likeliest(row: Float32Array): { token: number; logProbability: number } {
  let token = 0;
  for (let id = 1; id < row.length; id++) if (row[id]! > row[token]!) token = id;
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - row[token]!);
  return { token, logProbability: -Math.log(sum) };
}
