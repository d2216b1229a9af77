import { counted } from "../../counted.js";
import { UserError } from "../../errors.js";
import {
  AGAIN,
  type AudioHeader,
  collect,
  type DecodedAudio,
  type OnNote,
  type StreamOptions,
} from "../decoded-audio.js";
import { SampleTrimmer } from "../sample-trimmer.js";
import type { ByteSource } from "../sources/byte-source.js";
import { ByteStream, sourceChunks } from "../sources/byte-stream.js";
import { findFrame, MAX_LEAD, type Mp3Frame, type Mp3Info, parseFrame, readInfo } from "./mp3-frames.js";
import { Mp3Walk } from "./mp3-walk.js";
import { TAG_HEADER, tagSize } from "./tags.js";

/**
 * The length comes from the Xing or Info header where the encoder's checksum shows that it was not changed and the file
 * is as long as it says; else from counting the frames.
 * @throws UserError naming the file where it is no MP3 file or, where the frames are counted, truncated or corrupt
 */
export function readMp3Header(source: ByteSource, name: string, onNote?: OnNote): AudioHeader {
  const begin = parseFrame(source.read(0, 4), 0)
    ? 0
    : firstFrame(source.read(0, MAX_LEAD + 4), source.begin ?? 0, name);
  noteLead(source.read(0, begin), name, onNote);
  const like = parseFrame(source.read(begin, 4), 0)!;
  const info = readInfo(source.read(begin, like.length), like);
  const samples =
    info && isAsSealed(source, begin, info)
      ? info.frames * like.samples - info.delay - info.padding
      : countSamples(source, begin, like, info, name);
  const { sampleRate, channels } = like;
  return { format: "mp3", sampleRate, channels, samples: Math.max(0, samples) };
}

/** Whether the file ends, but for tags, where its first frame says. */
function isAsSealed(source: ByteSource, begin: number, { bytes }: Mp3Info): boolean {
  if (bytes === undefined) return false;
  let at = begin + bytes;
  for (let size = 1; at < source.size && size > 0; at += size) size = tagSize(source.read(at, TAG_HEADER));
  return at === source.size;
}

const WINDOW = 2 ** 18;

function countSamples(
  source: ByteSource,
  begin: number,
  like: Mp3Frame,
  info: Mp3Info | undefined,
  name: string,
): number {
  const walk = new Mp3Walk(like, info, name);
  // The frame that holds the counts holds no sound.
  let at = info ? begin + like.length : begin;
  let [window, windowStart] = [source.read(at, WINDOW), at];
  for (;;) {
    const isAll = windowStart + window.length >= source.size;
    const bytes = window.subarray(Math.min(window.length, at - windowStart));
    const step = walk.step(bytes, at + (source.begin ?? 0), isAll);
    if (step.kind === "end") break;
    if (step.kind !== "more") at += step.length;
    if (step.kind === "more" || (at >= windowStart + window.length && !isAll)) {
      window = source.read(at, Math.max(WINDOW, 2 * bytes.length));
      windowStart = at;
    }
  }
  const { delay, padding } = walk.samples;
  return walk.frames * like.samples - delay - padding;
}

/** @throws UserError where no frame begins in the first bytes of a file */
function firstFrame(bytes: Uint8Array, at: number, name: string): number {
  // Where one begins at once, a single frame is enough: a file may hold no more.
  const place = parseFrame(bytes, 0) ? 0 : findFrame(bytes);
  if (place !== undefined) return place;
  throw new UserError(`${name} must be an MP3 file, but no MP3 frame begins at byte ${at}. ${AGAIN}`);
}

/** What stands in front of the first frame is a part of one that was cut, or was one before it was damaged. */
function noteLead(lead: Uint8Array, name: string, onNote?: OnNote): void {
  if (lead.every((byte) => byte === 0)) return;
  onNote?.(
    `${name} begins with ${counted(lead.length, "byte")} that are no MP3 frame, as streams do that were cut: it is read ` +
      "behind them, and whether something is missing there cannot be known.",
  );
}

/**
 * Without the encoder's delay and padding, where the file tells them.
 * @throws UserError naming the file where it is no MP3 file, truncated or corrupt: its frames must follow one another
 * to the end, as many as its header says, and each must be decoded
 */
export function decodeMp3(source: ByteSource, name: string): Promise<DecodedAudio> {
  return collect(streamMp3(new ByteStream(sourceChunks(source), source.begin), name));
}

/**
 * Decodes an MP3 file as its bytes come.
 * @throws UserError as `decodeMp3`
 */
export async function* streamMp3(
  stream: ByteStream,
  name: string,
  { onNote }: Pick<StreamOptions, "onNote"> = {},
): AsyncGenerator<DecodedAudio> {
  await stream.fill(4);
  if (!parseFrame(stream.bytes, 0)) await stream.fill(MAX_LEAD + 4);
  noteLead(stream.take(firstFrame(stream.bytes, stream.position, name)), name, onNote);
  const like = parseFrame(stream.bytes, 0)!;
  await stream.fill(like.length);
  const info = readInfo(stream.bytes.subarray(0, like.length), like);
  // The frame that holds the counts holds no sound.
  if (info) await stream.skip(like.length);
  const walk = new Mp3Walk(like, info, name);
  const trimmer = new SampleTrimmer(like.channels, info?.delay ?? 0, info?.padding ?? 0);
  const { MPEGDecoder } = await import("mpg123-decoder");
  const decoder = new MPEGDecoder();
  await decoder.ready;
  let decoded = 0;
  const decode = (bytes: Uint8Array): Float32Array[] => {
    const { channelData, samplesDecoded, sampleRate, errors } = decoder.decode(bytes);
    if (errors.length > 0) throw corrupt(name, errors[0]!.message);
    if (samplesDecoded > 0 && sampleRate !== like.sampleRate)
      throw corrupt(name, `it should have ${like.sampleRate} Hz, but ${sampleRate} Hz were decoded`);
    decoded += samplesDecoded;
    return channelData.slice(0, like.channels);
  };
  try {
    for (let isAll = false; ; ) {
      const step = walk.step(stream.bytes, stream.position, isAll);
      if (step.kind === "end") break;
      if (step.kind === "more") isAll = !(await stream.more());
      else if (step.kind === "skip") await stream.skip(step.length);
      else
        yield {
          channelData: trimmer.push(decode(stream.take(step.length))),
          sampleRate: like.sampleRate,
        };
    }
    const samples = walk.frames * like.samples;
    if (decoded !== samples)
      throw corrupt(name, `it should hold ${samples} samples, but ${decoded} were decoded`);
    yield { channelData: trimmer.end(walk.samples.padding), sampleRate: like.sampleRate };
  } finally {
    decoder.free();
  }
}

function corrupt(name: string, reason: string): UserError {
  return new UserError(`${name} must be a valid MP3 file, but is corrupt: ${reason}. ${AGAIN}`);
}
