import { UserError } from "../errors.js";
import {
  AGAIN,
  AUDIO_FORMATS,
  type AudioFormat,
  type AudioHeader,
  type DecodedAudio,
  type OnNote,
  type SampleRange,
  type StreamOptions,
} from "./decoded-audio.js";
import { decodeFlac, decodeFlacRange, readFlacHeader } from "./flac/flac.js";
import { streamFlac } from "./flac/flac-stream.js";
import { decodeMp3, readMp3Header, streamMp3 } from "./mp3/mp3.js";
import { findFrame, MAX_LEAD, parseFrame } from "./mp3/mp3-frames.js";
import { leadingTagSize, startsWith, TAG_HEADER } from "./mp3/tags.js";
import { firstSound, oggCodec } from "./ogg/ogg-codec.js";
import { decodeOggFlac, readOggFlacHeader, streamOggFlac } from "./ogg/ogg-flac.js";
import { decodeOpus, readOpusHeader, streamOpus } from "./ogg/ogg-opus.js";
import { decodeVorbis, readVorbisHeader, streamVorbis } from "./ogg/ogg-vorbis.js";
import { freeFormat, otherFormat } from "./other-formats.js";
import { type ByteSource, sourceBehind } from "./sources/byte-source.js";
import type { ByteStream } from "./sources/byte-stream.js";
import { inputName } from "./sources/source-names.js";
import { decodeSphere, readSphereHeader, SPHERE_MAGIC, streamSphere } from "./wav/sphere.js";
import { decodeWav, readWavHeader, streamWav } from "./wav/wav.js";
import { decodeWebm, readWebmHeader, streamWebm, WEBM_MAGIC } from "./webm/webm-opus.js";

/** How a format is read. All throw UserErrors that begin with `name`, the file's. */
export interface FormatReader {
  format: AudioFormat;
  readHeader(source: ByteSource, name: string, onNote?: OnNote): AudioHeader;
  /** Every sample, or those of `range`, which lies within what `readHeader` says. */
  decode(source: ByteSource, name: string, range?: SampleRange): Promise<DecodedAudio>;
  /**
   * Every sample, as its bytes come: in parts that hold one behind the other what `decode` returns. What `decode`
   * refuses is refused when it is reached.
   */
  stream(stream: ByteStream, name: string, options: StreamOptions): AsyncGenerator<DecodedAudio>;
}

const flac: FormatReader = {
  format: "flac",
  readHeader: readFlacHeader,
  decode: async (source, name, range) =>
    range
      ? decodeFlacRange(source, range, name)
      : decodeFlac(source.read(0, source.size), name, source.begin),
  stream: streamFlac,
};

const wav: FormatReader = {
  format: "wav",
  readHeader: readWavHeader,
  decode: decodeWav,
  stream: streamWav,
};

const sphere: FormatReader = {
  format: "nist-sphere",
  readHeader: readSphereHeader,
  decode: async (source, name, range) => decodeSphere(source, name, range),
  stream: streamSphere,
};

/** A format of which files are decoded whole and then cut. */
function whole(
  format: AudioFormat,
  readHeader: FormatReader["readHeader"],
  decodeWhole: (source: ByteSource, name: string) => Promise<DecodedAudio>,
  stream: FormatReader["stream"],
): FormatReader {
  return {
    format,
    readHeader,
    stream,
    async decode(source, name, range) {
      const { channelData, sampleRate } = await decodeWhole(source, name);
      if (!range) return { channelData, sampleRate };
      return { channelData: channelData.map((channel) => channel.slice(range.from, range.to)), sampleRate };
    },
  };
}

const mp3 = whole("mp3", readMp3Header, decodeMp3, streamMp3);
const oggOpus = whole("ogg-opus", readOpusHeader, decodeOpus, streamOpus);
const oggVorbis = whole("ogg-vorbis", readVorbisHeader, decodeVorbis, streamVorbis);
const webmOpus = whole("webm-opus", readWebmHeader, decodeWebm, streamWebm);
const oggFlac = whole("ogg-flac", readOggFlacHeader, decodeOggFlac, streamOggFlac);

/** What `detectFormat` must see of a file; where `isKnown` knows nothing there, as much as MP3 frames may be behind. */
export const MAGIC = 64;
export const FAR = MAX_LEAD;

/**
 * Takes away the tags in front of any format, and zeros behind them.
 * @throws UserError where the file ends within a tag
 */
export function behindTags(source: ByteSource, name: string): ByteSource {
  let begin = 0;
  for (let size = leadingTagSize(source.read(0, TAG_HEADER)); size > 0; ) {
    begin += size;
    if (begin >= source.size) throw onlyTags(name);
    const head = source.read(begin, TAG_HEADER);
    size = leadingTagSize(head);
    if (size > 0 || head[0] !== 0) continue;
    begin += leadingZeros(source.read(begin, MAX_LEAD));
    size = leadingTagSize(source.read(begin, TAG_HEADER));
  }
  return sourceBehind(source, begin);
}

/** `behindTags` of a stream. */
export async function skipTags(stream: ByteStream, name: string): Promise<void> {
  await stream.fill(TAG_HEADER);
  for (let size = leadingTagSize(stream.bytes); size > 0; ) {
    if (!(await stream.skip(size)) || !(await stream.fill(1))) throw onlyTags(name);
    await stream.fill(TAG_HEADER);
    size = leadingTagSize(stream.bytes);
    if (size > 0 || stream.bytes[0] !== 0) continue; // sound that is there is not kept waiting
    await stream.fill(MAX_LEAD);
    await stream.skip(leadingZeros(stream.bytes.subarray(0, MAX_LEAD)));
    await stream.fill(TAG_HEADER);
    size = leadingTagSize(stream.bytes);
  }
}

function leadingZeros(bytes: Uint8Array): number {
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return zeros < 0 ? bytes.length : zeros;
}

function onlyTags(name: string): UserError {
  return new UserError(
    `${name} must hold audio behind its tags, but ends with them: it is truncated. ${AGAIN}`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
}

/**
 * Tells by its first bytes what a file holds.
 * @param piped as in `StreamOptions`
 * @throws UserError naming the file where it is empty or of none of the formats
 */
export function detectFormat(source: ByteSource, name: string, piped = false): FormatReader {
  if (source.size === 0)
    throw new UserError(`${name} must be ${piped ? "audio" : "an audio file"}, but is empty (0 bytes).`, {
      code: "ERR_AUDIO_EMPTY",
    });
  const head = source.read(0, MAGIC);
  const magic = magicOf(head);
  if (magic === "fLaC") return flac;
  if (["RIFF", "RF64", "BW64"].includes(magic)) return wav;
  if (magic === "OggS") return detectOgg(source, name, piped);
  if (magic === WEBM_MAGIC) return webmOpus;
  if (startsWith(head, SPHERE_MAGIC)) return sphere;
  if (parseFrame(head, 0)) return mp3;
  if (!otherFormat(head) && findFrame(source.read(0, FAR)) !== undefined) return mp3;
  const other =
    otherFormat(head) ??
    (piped ? freeFormat(head, "-", "-") : freeFormat(head, inputName(name), "OUTPUT.wav"));
  const found = other?.name ?? `begins with ${JSON.stringify(magic)}`;
  throw new UserError(
    `${name} must be ${AUDIO_FORMATS}, but ${found}. ${other?.advice ?? conversion(name, piped)}`,
    { code: "ERR_AUDIO_FORMAT" },
  );
}

/** Whether the first bytes alone tell the format, if only that it is none that is read. */
export function isKnown(head: Uint8Array): boolean {
  // The stream of sound may not be the first.
  if (magicOf(head) === "OggS") return oggCodec(firstSound(head) ?? head) !== undefined;
  const isRead = ["fLaC", "RIFF", "RF64", "BW64", WEBM_MAGIC].includes(magicOf(head));
  return (
    isRead ||
    startsWith(head, SPHERE_MAGIC) ||
    parseFrame(head, 0) !== undefined ||
    otherFormat(head) !== undefined
  );
}

function magicOf(head: Uint8Array): string {
  return String.fromCharCode(...head.subarray(0, 4));
}

/** @param source of which as much is there as first pages may take */
function detectOgg(source: ByteSource, name: string, piped: boolean): FormatReader {
  const packet = firstSound(source.read(0, FAR));
  const codec = packet && oggCodec(packet);
  if (codec) return { opus: oggOpus, vorbis: oggVorbis, flac: oggFlac }[codec];
  if (!packet || packet.length < 8)
    throw new UserError(
      `${name} must begin with whole Ogg pages, but ends within them: ${piped ? "it" : "the file"} is truncated. ${AGAIN}`,
      { code: "ERR_AUDIO_TRUNCATED" },
    );
  const found = JSON.stringify(String.fromCharCode(...packet.subarray(0, 8)));
  throw new UserError(
    `${name} must hold Opus, Vorbis or FLAC in its Ogg stream, but it begins with ${found}. ${conversion(name, piped)}`,
    { code: "ERR_AUDIO_FORMAT" },
  );
}

function conversion(name: string, piped: boolean): string {
  return piped
    ? "Convert it with: ffmpeg -i INPUT -f wav -"
    : `Convert it with: ffmpeg -i ${inputName(name)} OUTPUT.flac`;
}
