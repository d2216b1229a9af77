import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { type FLACDecodedAudio, FLACDecoder } from "@wasm-audio-decoders/flac";
import { UserError } from "../errors.js";
import { unreadable } from "../files/unreadable.js";
import type { DecodedAudio } from "./decoded-audio.js";
import { splitFrames } from "./flac-frames.js";

/** A FLAC file's STREAMINFO block: https://www.rfc-editor.org/rfc/rfc9639#name-streaminfo. */
export interface FlacInfo {
  /** Hz. */
  sampleRate: number;
  channels: number;
  bitsPerSample: number;
  /** Samples a channel; 0 where the encoder did not know. */
  samples: number;
  /** MD5 of the samples, all zero where the encoder did not write it. */
  md5: Uint8Array;
}

// "fLaC", the block header (type, length) and the 34 bytes of STREAMINFO, which is always the first block.
const STREAMINFO_END = 42;
const AGAIN = "Copy or download it again.";

/**
 * Reads a FLAC file's length and format from its first 42 bytes, without decoding.
 * @throws UserError naming the file where it is missing, empty or no FLAC file.
 */
export async function readFlacInfo(path: string): Promise<FlacInfo> {
  const header = new Uint8Array(STREAMINFO_END);
  let length = 0;
  try {
    await using file = await open(path);
    length = (await file.read(header, 0, STREAMINFO_END, 0)).bytesRead;
  } catch (error) {
    throw unreadable(path, "a FLAC file", error);
  }
  return parseStreamInfo(header.subarray(0, length), path);
}

function parseStreamInfo(bytes: Uint8Array, name: string): FlacInfo {
  if (bytes.length === 0)
    throw new UserError(`${name} must be a FLAC file, but is empty (0 bytes). ${AGAIN}`);
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic !== "fLaC")
    throw new UserError(`${name} must be a FLAC file, but begins with ${JSON.stringify(magic)}, not "fLaC".`);
  if (bytes.length < STREAMINFO_END)
    throw new UserError(
      `${name} must hold a FLAC header of ${STREAMINFO_END} bytes, but ends after ${bytes.length}. ${AGAIN}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, STREAMINFO_END);
  const info: FlacInfo = {
    sampleRate: view.getUint32(18) >>> 12,
    channels: ((bytes[20]! >>> 1) & 7) + 1,
    bitsPerSample: ((view.getUint16(20) >>> 4) & 31) + 1,
    samples: (bytes[21]! & 15) * 2 ** 32 + view.getUint32(22),
    md5: bytes.slice(26, STREAMINFO_END),
  };
  const isStreamInfo = (view.getUint32(4) & 0x7fffffff) === 34;
  if (!isStreamInfo || info.sampleRate === 0 || info.bitsPerSample < 4)
    throw new UserError(
      `${name} must begin with a valid STREAMINFO block, but its header is corrupt. ${AGAIN}`,
    );
  return info;
}

// One decoder serves all calls: making one costs as much as decoding 5 s of speech. It works synchronously.
let shared: FLACDecoder | undefined;

async function decodeFrames(frames: Uint8Array[]): Promise<FLACDecodedAudio | Error> {
  shared ??= new FLACDecoder();
  const decoder = shared; // another call may let go of the shared one meanwhile
  await decoder.ready;
  try {
    const decoded = await decoder.decodeFrames(frames);
    if (decoded.errors.length === 0) return decoded;
    shared = undefined; // what it holds of the bad frame would spoil the next file
    return new Error(decoded.errors[0]!.message);
  } catch (error) {
    shared = undefined;
    return error as Error;
  }
}

/**
 * Decodes a whole FLAC file. Samples are exactly integers / 2^(bits-1), as libsndfile reads them.
 * @param bytes the file's contents
 * @param name the file's name, for messages
 * @throws UserError naming the file where it is empty, no FLAC file, truncated or corrupt: the number of
 * samples and their MD5 must be those of the header.
 */
export async function decodeFlac(bytes: Uint8Array, name: string): Promise<DecodedAudio> {
  const info = parseStreamInfo(bytes, name);
  if (info.bitsPerSample > 24)
    throw new UserError(
      `${name} must have at most 24 bits a sample, but has ${info.bitsPerSample}. ` +
        `Convert it with: ffmpeg -i ${name} -sample_fmt s16 OUTPUT.flac`,
    );
  const { frames, rest } = splitFrames(bytes);
  const decoded = await decodeFrames(frames);
  if (decoded instanceof Error)
    throw new UserError(`${name} must be a valid FLAC file, but is corrupt: ${decoded.message}. ${AGAIN}`);
  const samples = decoded.samplesDecoded;
  if (samples === 0) throw new UserError(`${name} must hold audio, but no sample could be decoded. ${AGAIN}`);
  const complete = info.samples === 0 ? rest === 0 : samples === info.samples;
  if (!complete)
    throw new UserError(
      `${name} must be whole (${info.samples || "unknown"} samples by its header), but only ${samples} samples could be decoded: ` +
        `the file is truncated or corrupt. ${AGAIN}`,
    );

  const pcm = toPcm(decoded.channelData, info.bitsPerSample);
  if (info.md5.some((byte) => byte !== 0)) {
    const md5 = createHash("md5").update(pcm).digest();
    if (!md5.equals(info.md5))
      throw new UserError(`${name} must match the MD5 in its header, but does not: it is corrupt. ${AGAIN}`);
  }
  return { channelData: decoded.channelData, sampleRate: info.sampleRate };
}

/**
 * Rescales channels in place from the decoder's integers / (2^(bits-1) - 1) to integers / 2^(bits-1) and
 * returns the integers as FLAC's MD5 wants them: interleaved, little-endian, in whole bytes.
 */
function toPcm(channelData: Float32Array[], bitsPerSample: number): Uint8Array {
  const fullScale = 2 ** (bitsPerSample - 1);
  const sampleBytes = Math.ceil(bitsPerSample / 8);
  const stride = sampleBytes * channelData.length;
  const pcm = new Uint8Array(stride * channelData[0]!.length);
  for (const [channel, values] of channelData.entries()) {
    for (let i = 0; i < values.length; i++) {
      const integer = Math.round(values[i]! * (fullScale - 1));
      values[i] = integer / fullScale;
      const at = i * stride + channel * sampleBytes;
      for (let byte = 0; byte < sampleBytes; byte++) pcm[at + byte] = integer >> (8 * byte);
    }
  }
  return pcm;
}
