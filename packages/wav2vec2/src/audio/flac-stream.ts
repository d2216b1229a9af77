import type { ByteStream } from "./byte-stream.js";
import type { DecodedAudio } from "./decoded-audio.js";
import { corrupt, type FlacInfo, incomplete, parseStreamInfo, requireMd5, STREAMINFO_END } from "./flac.js";
import { FlacDecoder } from "./flac-decoder.js";
import { type FlacFrame, splitFrames } from "./flac-frames.js";

/**
 * Decodes a FLAC file frame by frame as its bytes come.
 * @throws UserError as `decodeFlac`; what was given before is right, each frame's checksum was
 */
export async function* streamFlac(stream: ByteStream, name: string): AsyncGenerator<DecodedAudio> {
  await stream.fill(STREAMINFO_END);
  const info = parseStreamInfo(stream.bytes, name);
  await skipMetadata(stream);
  const decoder = new FlacDecoder(info);
  let samples = 0;
  for await (const frame of streamFrames(stream, info)) {
    const { blockSize } = frame.header;
    if (info.samples > 0 && samples + blockSize > info.samples)
      throw incomplete(name, info.samples, samples + blockSize);
    const channelData = Array.from({ length: info.channels }, () => new Float32Array(blockSize));
    try {
      decoder.decode(frame, channelData, 0);
    } catch (error) {
      throw corrupt(name, error);
    }
    samples += blockSize;
    yield { channelData, sampleRate: info.sampleRate };
  }
  const rest = stream.bytes.length;
  if (samples === 0 || (info.samples === 0 ? rest > 0 : samples !== info.samples))
    throw incomplete(name, info.samples, samples);
  requireMd5(info, decoder.md5(), name);
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

/** What is left in the stream behind the last frame is a damaged one, or junk. */
async function* streamFrames(stream: ByteStream, info: FlacInfo): AsyncGenerator<FlacFrame> {
  for (let isWhole = false; ; ) {
    const { frames, rest } = splitFrames(stream.bytes, 0, stream.bytes.length, isWhole);
    stream.take(stream.bytes.length - rest);
    yield* frames;
    if (isWhole || rest > largestFrame(info)) return;
    isWhole = !(await stream.more());
  }
}

// Twice what samples take that are not compressed at all: what is still no frame by then will be none.
function largestFrame({ channels, bitsPerSample }: FlacInfo): number {
  return 0x10000 + (2 * 0x10000 * channels * (bitsPerSample + 1)) / 8;
}
