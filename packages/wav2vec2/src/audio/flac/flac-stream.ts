import type { DecodedAudio, StreamOptions } from "../decoded-audio.js";
import type { ByteStream } from "../sources/byte-stream.js";
import {
  corrupt,
  cutNote,
  type FlacInfo,
  incomplete,
  parseStreamInfo,
  placeIn,
  requireMd5,
  STREAMINFO_END,
} from "./flac.js";
import { FlacDecoder } from "./flac-decoder.js";
import { BehindFrames, isDamaged, LOOK, lastFrame, withoutZeros } from "./flac-end.js";
import { type FlacFrame, largestFrame, parseFrameHeader, splitFrames } from "./flac-frames.js";

/**
 * Decodes a FLAC file frame by frame as its bytes come.
 * @param isCounted whether what it lies in counts its samples: another number in its header is then let pass
 * @throws UserError as `decodeFlac`; what was given before is right, each frame's checksum was
 */
export async function* streamFlac(
  stream: ByteStream,
  name: string,
  { piped, onNote }: StreamOptions,
  isCounted = false,
): AsyncGenerator<DecodedAudio> {
  await stream.fill(STREAMINFO_END);
  const info = parseStreamInfo(stream.bytes, name);
  await skipMetadata(stream);
  const decoder = new FlacDecoder(info);
  let [samples, begin] = [0, 0];
  for await (const frame of streamFrames(stream, info)) {
    const { blockSize } = frame.header;
    if (samples === 0 && !isCounted) begin = placeIn(info, frame.header);
    if (!isCounted && info.samples > 0 && samples + blockSize > info.samples - begin)
      throw incomplete(name, info.samples - begin, samples + blockSize, true);
    const channelData = Array.from({ length: info.channels }, () => new Float32Array(blockSize));
    try {
      decoder.decode(frame, channelData, 0);
    } catch (error) {
      throw corrupt(name, error);
    }
    samples += blockSize;
    yield { channelData, sampleRate: info.sampleRate };
  }
  const rest = stream.bytes;
  const isWhole = await isWholeBehind(stream, name, piped);
  if (isCounted && samples > 0 && samples !== info.samples) return;
  if (samples === 0 || (info.samples === 0 ? !isWhole : samples !== info.samples - begin))
    throw incomplete(name, info.samples - begin, samples, isDamaged(rest, info));
  if (begin > 0) onNote?.(cutNote(name, begin));
  else requireMd5(info, decoder.md5(), name);
}

/** Of the magic and the metadata blocks, of which pictures may be large. */
async function skipMetadata(stream: ByteStream): Promise<void> {
  stream.take(4);
  for (let isLast = false; !isLast && (await stream.fill(4)); ) {
    const [flags, high, middle, low] = stream.take(4) as unknown as [number, number, number, number];
    isLast = (flags & 0x80) !== 0;
    await stream.skip((high << 16) | (middle << 8) | low);
  }
}

/** Whether nothing is left behind the last frame but tags. @throws UserError where another file is */
async function isWholeBehind(stream: ByteStream, name: string, piped: boolean): Promise<boolean> {
  if (parseFrameHeader(stream.bytes, 0)) return false; // a damaged frame, in which everything else might be
  const behind = new BehindFrames(name, piped);
  while (await stream.fill(1)) {
    await stream.fill(LOOK);
    await stream.skip(behind.look(stream.bytes.subarray(0, LOOK), stream.position));
  }
  return behind.isHarmless;
}

/** What is left in the stream behind the last frame are tags, or a damaged frame. */
async function* streamFrames(stream: ByteStream, info: FlacInfo): AsyncGenerator<FlacFrame> {
  for (let isWhole = false; ; ) {
    const { frames, rest } = splitFrames(stream.bytes, 0, stream.bytes.length, isWhole);
    stream.take(stream.bytes.length - rest);
    for (const frame of frames) yield isWhole ? withoutZeros(frame, info) : frame;
    if (isWhole || rest > largestFrame(info)) {
      const last = lastFrame(stream.bytes, info);
      if (last) yield { ...last, bytes: stream.take(last.bytes.length) };
      return;
    }
    isWhole = !(await stream.more());
  }
}
