import { turn } from "#platform/turn";
import { joinInTurns, lengthOf } from "./join-in-turns.js";

/** Audio as it left a file: one array of samples a channel, integer formats scaled to integers / 2^(bits-1). */
export interface DecodedAudio {
  /** [channels][samples], full scale is [-1, 1). */
  channelData: Float32Array[];
  /** Hz. */
  sampleRate: number;
}

/** What a file's headers say, without decoding. */
export interface AudioHeader {
  format: AudioFormat;
  /** Hz. */
  sampleRate: number;
  channels: number;
  /** Absent where a format has none: MP3, Opus and Vorbis. */
  bitsPerSample?: number;
  /** Samples a channel at `sampleRate`. */
  samples: number;
}

export type AudioFormat =
  | "flac"
  | "wav"
  | "mp3"
  | "ogg-opus"
  | "ogg-vorbis"
  | "ogg-flac"
  | "webm-opus"
  | "nist-sphere";

/** All of them, as messages list them. */
export const AUDIO_FORMATS = "FLAC, WAV, MP3, Ogg (Opus, Vorbis or FLAC), WebM with Opus or NIST SPHERE";

/** Samples [from, to) of each channel. */
export interface SampleRange {
  from: number;
  to: number;
}

/** Gets, in a sentence that names the file, what is odd about one that is read nevertheless. */
export type OnNote = (text: string) => void;

/** How a file is decoded as its bytes come. */
export interface StreamOptions {
  /** Whether another program writes the stream, which could not go back to its header. */
  piped: boolean;
  onNote?: OnNote | undefined;
}

export const AGAIN = "Copy or download it again.";

/** Parts behind one another; the event loop has its turn between them. */
export async function collect(parts: AsyncIterable<DecodedAudio>): Promise<DecodedAudio> {
  const all: Float32Array[][] = [];
  let sampleRate = 0;
  for await (const part of parts) {
    if (all.length === 0) for (const _ of part.channelData) all.push([]);
    for (const [channel, samples] of all.entries()) samples.push(part.channelData[channel]!);
    sampleRate ||= part.sampleRate;
    await turn();
  }
  const channelData: Float32Array[] = [];
  for (const channel of all)
    channelData.push(await joinInTurns(channel, new Float32Array(lengthOf(channel))));
  return { channelData, sampleRate };
}
