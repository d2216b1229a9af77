import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import { ByteStream, sourceChunks } from "./byte-stream.js";
import { AGAIN, type AudioHeader, collect, type DecodedAudio } from "./decoded-audio.js";
import {
  countFrames,
  findFirstFrame,
  type Mp3Frame,
  type Mp3Info,
  readInfo,
  streamFirstFrame,
  wholeFrames,
} from "./mp3-frames.js";

/**
 * The length comes from the Xing, Info or VBRI header where there is one, less the encoder's delay and padding, else
 * from counting the frames.
 * @throws UserError naming the file where it is no MP3 file or, where the frames are counted, truncated or corrupt
 */
export function readMp3Header(source: ByteSource, name: string): AudioHeader {
  const { frame, samples } = readLayout(source, name, false);
  return { format: "mp3", sampleRate: frame.sampleRate, channels: frame.channels, samples };
}

/**
 * Without the encoder's delay and padding, where the file tells them.
 * @throws UserError naming the file where it is no MP3 file, truncated or corrupt: its frames must follow one another
 * to the end, as many as its header says, and each must be decoded
 */
export async function decodeMp3(source: ByteSource, name: string): Promise<DecodedAudio> {
  readLayout(source, name, true); // a file that is cut off is not decoded
  return collect(streamMp3(new ByteStream(sourceChunks(source)), name));
}

/**
 * Decodes an MP3 file as its bytes come.
 * @throws UserError as `decodeMp3`
 */
export async function* streamMp3(stream: ByteStream, name: string): AsyncGenerator<DecodedAudio> {
  const like = await streamFirstFrame(stream, name);
  await stream.fill(like.length);
  const head = stream.bytes.subarray(0, like.length);
  const info = readInfo(head, like);
  const { MPEGDecoder } = await import("mpg123-decoder");
  const decoder = new MPEGDecoder();
  await decoder.ready;
  let given = 0;
  const decode = (bytes: Uint8Array): DecodedAudio => {
    const { channelData, samplesDecoded, sampleRate, errors } = decoder.decode(bytes);
    if (errors.length > 0) throw corrupt(name, errors[0]!.message);
    if (samplesDecoded > 0 && sampleRate !== like.sampleRate)
      throw corrupt(name, `it should have ${like.sampleRate} Hz, but ${sampleRate} Hz were decoded`);
    given += samplesDecoded;
    return { channelData: channelData.slice(0, like.channels), sampleRate: like.sampleRate };
  };
  try {
    // The frame that holds the counts holds no sound.
    if (info) yield decode(stream.take(head.length));
    let frames = 0;
    for (let next = await wholeFrames(stream, like, 0, name); next.frames > 0; ) {
      frames += next.frames;
      yield decode(stream.take(next.length));
      next = await wholeFrames(stream, like, frames, name);
    }
    if (info && info.frames !== frames) throw otherCount(name, info.frames, frames);
    const samples = playedSamples(info ?? { frames, delay: 0, padding: 0 }, like);
    if (given !== samples)
      throw corrupt(name, `it should hold ${samples} samples, but ${given} were decoded`);
  } finally {
    decoder.free();
  }
}

function corrupt(name: string, reason: string): UserError {
  return new UserError(`${name} must be a valid MP3 file, but is corrupt: ${reason}. ${AGAIN}`);
}

function otherCount(name: string, expected: number, frames: number): UserError {
  return new UserError(
    `${name} must hold ${expected} frames by its header, but holds ${frames}: it is truncated or corrupt. ${AGAIN}`,
  );
}

function readLayout(source: ByteSource, name: string, count: boolean): { frame: Mp3Frame; samples: number } {
  const { begin, frame } = findFirstFrame(source, name);
  const info = readInfo(source.read(begin, frame.length), frame);
  // The frame that holds the counts holds no sound.
  const first = info ? begin + frame.length : begin;
  if (!count && info) return { frame, samples: playedSamples(info, frame) };
  const frames = countFrames(source, first, frame, name);
  if (info && info.frames !== frames) throw otherCount(name, info.frames, frames);
  return { frame, samples: playedSamples(info ?? { frames, delay: 0, padding: 0 }, frame) };
}

function playedSamples({ frames, delay, padding }: Mp3Info, frame: Mp3Frame): number {
  return Math.max(0, frames * frame.samples - delay - padding);
}
