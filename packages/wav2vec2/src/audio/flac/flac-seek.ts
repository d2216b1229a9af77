import type { SampleRange } from "../decoded-audio.js";
import type { ByteSource } from "../sources/byte-source.js";
import {
  type FlacFrame,
  type FlacFrameHeader,
  findSync,
  MAX_FRAME_HEADER,
  parseFrameHeader,
  splitFrames,
} from "./flac-frames.js";

// Where the search stops and reading begins: about 4 s of speech at 16 kHz.
const WINDOW = 2 ** 16;

/** What the search needs of STREAMINFO. */
interface Stream {
  samples: number;
  blockSize: number;
}

/**
 * Finds the frames that hold a range of samples by bisection over the file: each frame's header tells its place.
 * @returns the frames and the first one's first sample; undefined where the stream is not laid out for that, or damaged:
 * then the whole file must be decoded
 */
export function findFrames(
  source: ByteSource,
  stream: Stream,
  range: SampleRange,
): { frames: FlacFrame[]; position: number } | undefined {
  const begin = framesBegin(source);
  const position = (header: FlacFrameHeader) =>
    header.countsSamples ? header.number : stream.blockSize > 0 ? header.number * stream.blockSize : -1;
  // The last known frame at or before the target, and the first known one behind it, to a few windows.
  const bracket = (target: number) => {
    let [low, high] = [begin, source.size];
    while (high - low > 4 * WINDOW) {
      const middle = Math.floor((low + high) / 2);
      const frame = nextFrame(source.read(middle, WINDOW));
      if (!frame) break;
      if (position(frame.header) <= target) low = middle + frame.at;
      else high = middle + frame.at;
    }
    return { low, high };
  };
  const opening = parseFrameHeader(source.read(begin, MAX_FRAME_HEADER), 0);
  if (!opening || position(opening) !== 0) return undefined; // cut out of a longer stream
  const { low } = bracket(range.from);
  const { high } = bracket(range.to);
  const bytes = source.read(low, high - low + MAX_FRAME_HEADER);
  const { frames } = splitFrames(bytes, 0, Math.min(high - low, bytes.length));

  const first = frames.findLastIndex(({ header }) => position(header) <= range.from);
  let end = first;
  let at = first < 0 ? -1 : position(frames[first]!.header);
  const start = at;
  for (; first >= 0 && at < range.to && end < frames.length; end++) {
    const { header } = frames[end]!;
    if (position(header) !== at) return undefined;
    at += header.blockSize;
  }
  return start >= 0 && at >= range.to ? { frames: frames.slice(first, end), position: start } : undefined;
}

/** Where the metadata blocks, of which a picture may be large, end. */
export function framesBegin(source: ByteSource): number {
  let at = 4; // behind "fLaC"
  for (;;) {
    const block = source.read(at, 4);
    if (block.length < 4) return source.size;
    at += 4 + ((block[1]! << 16) | (block[2]! << 8) | block[3]!);
    if (block[0]! & 0x80) return at;
  }
}

function nextFrame(bytes: Uint8Array): { at: number; header: FlacFrameHeader } | undefined {
  for (let at = 0; ; at += 2) {
    at = findSync(bytes, at, bytes.length);
    if (at === bytes.length) return undefined;
    const header = parseFrameHeader(bytes, at);
    if (header) return { at, header };
  }
}
