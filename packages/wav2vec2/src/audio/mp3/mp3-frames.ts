import { crc16Reflected } from "../flac/crc.js";
import { startsWith } from "./tags.js";

// MPEG audio layer III frames: http://www.mp3-tech.org/programmer/frame_header.html
const BIT_RATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]; // kbit/s, MPEG-1
const BIT_RATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]; // MPEG-2 and 2.5
const SAMPLE_RATES = [44100, 48000, 32000]; // Hz, MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter

export interface Mp3Frame {
  /** In bytes. */
  length: number;
  /** A channel. */
  samples: number;
  sampleRate: number;
  channels: number;
  /** Bytes between the header and the main data. */
  sideInfo: number;
}

/** The frame whose header begins at `at`; undefined where none does. */
export function parseFrame(bytes: Uint8Array, at: number): Mp3Frame | undefined {
  const [b0, b1, b2, b3] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (b0 !== 0xff || b1 === undefined || b2 === undefined || b3 === undefined) return undefined;
  const version = (b1 >> 3) & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const isLayer3 = (b1 & 0xe6) === 0xe2;
  const bitRate = (version === 3 ? BIT_RATES_1 : BIT_RATES_2)[b2 >> 4];
  const baseRate = SAMPLE_RATES[(b2 >> 2) & 3];
  if (!isLayer3 || version === 1 || !bitRate || !baseRate) return undefined;
  const sampleRate = version === 3 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const samples = version === 3 ? 1152 : 576;
  const channels = b3 >> 6 === 3 ? 1 : 2;
  const padding = (b2 >> 1) & 1;
  const length = Math.floor(((samples / 8) * bitRate * 1000) / sampleRate) + padding;
  const sideInfo = version === 3 ? (channels === 1 ? 17 : 32) : channels === 1 ? 9 : 17;
  return { length, samples, sampleRate, channels, sideInfo };
}

/** Whether one follows the other in one stream. */
export function isAlike(frame: Mp3Frame, like: Mp3Frame): boolean {
  return frame.sampleRate === like.sampleRate && frame.channels === like.channels;
}

/** Bytes in which the first frame must begin. */
export const MAX_LEAD = 2 ** 16;
/** Frames in a row that no chance makes. */
const ENOUGH = 3;

/** Where the first frame begins: streams that were recorded from the radio or cut begin within one. */
export function findFrame(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(0xff); at >= 0 && at < MAX_LEAD; at = bytes.indexOf(0xff, at + 1))
    if (isRun(bytes, at)) return at;
  return undefined;
}

function isRun(bytes: Uint8Array, from: number): boolean {
  const first = parseFrame(bytes, from);
  let at = from;
  for (let frames = 0; first && frames < ENOUGH; frames++) {
    const frame = parseFrame(bytes, at);
    if (!frame || !isAlike(frame, first)) return false;
    at += frame.length;
  }
  return first !== undefined;
}

/** What a first frame without sound says of the others. */
export interface Mp3Info {
  /** 0 where it does not say, as of encoders that could not go back to it. */
  frames: number;
  /** Samples that the encoder and the decoder put before and behind the sound; 0 where the frames are not counted. */
  delay: number;
  padding: number;
  /** Bytes of all frames, this one among them, where the encoder's checksum shows that it wrote them. */
  bytes: number | undefined;
}

// What a decoder delays: http://gabriel.mp3-tech.org/mp3infotag.html
const DECODER_DELAY = 529;

/** The counts that encoders put into a first frame without sound; undefined where it is none. */
export function readInfo(bytes: Uint8Array, frame: Mp3Frame): Mp3Info | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (startsWith(bytes, "VBRI", 36) && bytes.length >= 54)
    return { frames: view.getUint32(50), delay: 0, padding: 0, bytes: undefined };
  const at = 4 + frame.sideInfo;
  if (!hasInfo(bytes, frame) || bytes.length < at + 12) return undefined;
  const flags = view.getUint32(at + 4);
  const frames = flags & 1 ? view.getUint32(at + 8) : 0;
  if (frames === 0) return { frames, delay: 0, padding: 0, bytes: undefined };
  // Behind the counts of frames and bytes, the table of places and the quality, of which each may be absent.
  const lame = at + 12 + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  if (lame + 24 > bytes.length || bytes[lame] === 0)
    return { frames, delay: 0, padding: 0, bytes: undefined };
  const delay = (bytes[lame + 21]! << 4) | (bytes[lame + 22]! >> 4);
  const padding = ((bytes[lame + 22]! & 15) << 8) | bytes[lame + 23]!;
  const end = lame + 34; // of what the checksum covers
  const isSealed =
    (flags & 2) !== 0 && end + 2 <= bytes.length && crc16Reflected(bytes, 0, end) === view.getUint16(end);
  return {
    frames,
    delay: delay + DECODER_DELAY,
    padding: Math.max(0, padding - DECODER_DELAY),
    bytes: isSealed ? view.getUint32(at + 12) : undefined,
  };
}

/** Whether a frame holds counts and no sound. */
export function hasInfo(bytes: Uint8Array, frame: Mp3Frame, at = 0): boolean {
  const place = at + 4 + frame.sideInfo;
  return startsWith(bytes, "Xing", place) || startsWith(bytes, "Info", place);
}
