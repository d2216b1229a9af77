import { readFile } from "node:fs/promises";
import { UserError } from "../errors.js";
import { unreadable } from "../files/unreadable.js";
import type { DecodedAudio } from "./decoded-audio.js";
import { decodeFlac } from "./flac.js";
import { decodeWav } from "./wav.js";

/** Hz; what wav2vec 2.0 was trained on: a frame stands for 20 ms only at this rate. */
export const SAMPLE_RATE = 16000;

/**
 * Reads a FLAC or WAV file, told apart by content, as mono at 16 kHz; channels are averaged.
 * @returns [samples], full scale [-1, 1)
 * @throws UserError naming the file where it is missing, truncated, corrupt, at another rate or not finite
 */
export async function readAudio(path: string): Promise<Float32Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(path, "an audio file", error);
  }
  const { channelData, sampleRate } = await decode(bytes, path);
  if (sampleRate !== SAMPLE_RATE)
    throw new UserError(
      `sample rate of ${path} must be ${SAMPLE_RATE} Hz, but is ${sampleRate} Hz. ` +
        `Convert it with: ffmpeg -i ${path} -ar ${SAMPLE_RATE} -ac 1 OUTPUT.flac`,
    );
  const samples = mixDown(channelData);
  if (samples.length === 0) throw new UserError(`${path} must hold audio, but holds 0 samples.`);
  const bad = samples.findIndex((sample) => !Number.isFinite(sample));
  if (bad >= 0)
    throw new UserError(
      `samples of ${path} must be finite, but sample ${bad} is ${samples[bad]}. Record it again.`,
    );
  return samples;
}

async function decode(bytes: Uint8Array, path: string): Promise<DecodedAudio> {
  if (bytes.length === 0) throw new UserError(`${path} must be an audio file, but is empty (0 bytes).`);
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic === "fLaC") return decodeFlac(bytes, path);
  if (magic === "RIFF") return decodeWav(bytes, path);
  throw new UserError(
    `${path} must be FLAC or WAV, but begins with ${JSON.stringify(magic)}. ` +
      `Convert it with: ffmpeg -i ${path} -ar ${SAMPLE_RATE} -ac 1 OUTPUT.flac`,
  );
}

function mixDown(channelData: Float32Array[]): Float32Array {
  const [first, ...others] = channelData;
  if (!first || others.length === 0) return first ?? new Float32Array(0);
  return first.map(
    (sample, i) => others.reduce((sum, channel) => sum + channel[i]!, sample) / channelData.length,
  );
}
