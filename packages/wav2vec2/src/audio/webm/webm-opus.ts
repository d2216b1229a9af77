import type { OpusDecoder } from "opus-decoder";
import { type AudioHeader, collect, type DecodedAudio } from "../decoded-audio.js";
import { decodePackets, OPUS_RATE, type OpusHead, openDecoder, parseHead, samplesOf } from "../ogg/opus.js";
import type { ByteSource } from "../sources/byte-source.js";
import { ByteStream, sourceChunks } from "../sources/byte-stream.js";
import { WebmWalk } from "./webm.js";

/** What WebM and Matroska files begin with: the id of EBML's header. */
export const WEBM_MAGIC = "\x1aE\xdf\xa3";

/** Bytes that are looked at first; an element that is longer tells so. */
const AHEAD = 2 ** 12;

/**
 * The length is the sum of all packets', less the delay and what is to be left out at the end: all are gone through.
 * @throws UserError naming the file where it is cut off, damaged or holds no track of Opus
 */
export function readWebmHeader(source: ByteSource, name: string): AudioHeader {
  const walk = new WebmWalk(name);
  const begin = source.begin ?? 0;
  let head: OpusHead | undefined;
  let samples = 0;
  let wanted = AHEAD;
  for (let at = 0; ; ) {
    const bytes = source.read(at, wanted);
    const step = walk.step(bytes, begin + Math.min(at, source.size), at + bytes.length >= source.size);
    if (step.kind === "end") break;
    if (step.kind === "more") {
      wanted = step.length;
      continue;
    }
    wanted = AHEAD;
    at += step.length;
    if (step.kind === "track") head = parseHead(step.codec, name);
    if (step.kind === "packets") samples += samplesOf(step.packets) - samplesIn(step.discard);
  }
  const { channels, preSkip } = head!; // the walk ends behind a track
  return { format: "webm-opus", sampleRate: OPUS_RATE, channels, samples: Math.max(0, samples - preSkip) };
}

/** @throws UserError as `streamWebm` */
export function decodeWebm(source: ByteSource, name: string): Promise<DecodedAudio> {
  return collect(streamWebm(new ByteStream(sourceChunks(source), source.begin), name));
}

/**
 * Decodes the Opus of a WebM or Matroska file as its bytes come, such as what browsers record.
 * @throws UserError naming the file where it is cut off, damaged or holds no track of Opus. Of a file that was written as a
 * stream, which holds no sizes, it cannot be known whether blocks are missing at its end
 */
export async function* streamWebm(stream: ByteStream, name: string): AsyncGenerator<DecodedAudio> {
  const walk = new WebmWalk(name);
  let head: OpusHead | undefined;
  let decoder: OpusDecoder | undefined;
  try {
    for (let isAll = false; ; ) {
      const step = walk.step(stream.bytes, stream.position, isAll);
      if (step.kind === "end") return;
      if (step.kind === "more") {
        isAll = !(await stream.fill(step.length));
        continue;
      }
      if (step.kind === "skip") {
        isAll = !(await stream.skip(step.length));
        continue;
      }
      stream.take(step.length);
      if (step.kind === "track") {
        head = parseHead(step.codec, name);
        decoder = await openDecoder(head);
      } else if (step.packets.length > 0) {
        const channelData = decodePackets(decoder!, step.packets, head!.gain, name);
        const length = Math.max(0, channelData[0]!.length - samplesIn(step.discard));
        yield {
          channelData: channelData.map((channel) => channel.subarray(0, length)),
          sampleRate: OPUS_RATE,
        };
      }
    }
  } finally {
    decoder?.free();
  }
}

/** Of nanoseconds at 48 kHz; less than none is left out. */
function samplesIn(nanoseconds: number): number {
  return Math.max(0, Math.round((nanoseconds * OPUS_RATE) / 1e9));
}
