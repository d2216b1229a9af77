import { UserError } from "../errors.js";
import { shellName } from "../files/shell-name.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteStream } from "./byte-stream.js";
import type {
  AudioFormat,
  AudioHeader,
  DecodedAudio,
  OnNote,
  SampleRange,
  StreamOptions,
} from "./decoded-audio.js";
import { decodeFlac, decodeFlacRange, readFlacHeader } from "./flac.js";
import { streamFlac } from "./flac-stream.js";
import { decodeMp3, readMp3Header, streamMp3 } from "./mp3.js";
import { isMp3 } from "./mp3-frames.js";
import { decodeOggFlac, readOggFlacHeader, streamOggFlac } from "./ogg-flac.js";
import { decodeOpus, readOpusHeader, streamOpus } from "./ogg-opus.js";
import { decodeVorbis, readVorbisHeader, streamVorbis } from "./ogg-vorbis.js";
import { decodeWav, readWavHeader, streamWav } from "./wav.js";

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
    range ? decodeFlacRange(source, range, name) : decodeFlac(source.read(0, source.size), name),
  stream: streamFlac,
};

const wav: FormatReader = {
  format: "wav",
  readHeader: readWavHeader,
  decode: async (source, name, range) => decodeWav(source, name, range),
  stream: streamWav,
};

/** A format of which files are decoded whole and then cut. */
function whole(
  format: AudioFormat,
  readHeader: FormatReader["readHeader"],
  decodeWhole: (source: ByteSource, name: string) => DecodedAudio | Promise<DecodedAudio>,
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
const oggFlac = whole("ogg-flac", readOggFlacHeader, decodeOggFlac, streamOggFlac);

/** What `detectFormat` must see of a file. */
export const MAGIC = 64;

/**
 * Tells by its first bytes what a file holds.
 * @param piped as in `StreamOptions`
 * @throws UserError naming the file where it is empty or of none of the formats
 */
export function detectFormat(source: ByteSource, name: string, piped = false): FormatReader {
  if (source.size === 0)
    throw new UserError(`${name} must be ${piped ? "audio" : "an audio file"}, but is empty (0 bytes).`);
  const head = source.read(0, MAGIC);
  const magic = String.fromCharCode(...head.subarray(0, 4));
  if (magic === "fLaC") return flac;
  if (["RIFF", "RF64", "BW64"].includes(magic)) return wav;
  if (magic === "OggS") return detectOgg(head, name, piped);
  if (isMp3(head)) return mp3;
  throw new UserError(
    `${name} must be FLAC, WAV, MP3, Ogg Opus or Ogg Vorbis, but begins with ${JSON.stringify(magic)}. ` +
      conversion(name, piped),
  );
}

/** The first page of an Ogg file holds the codec's header alone, behind one segment's length. */
function detectOgg(head: Uint8Array, name: string, piped: boolean): FormatReader {
  const packet = String.fromCharCode(...head.subarray(28, 36));
  if (packet === "OpusHead") return oggOpus;
  if (packet.startsWith("\x01vorbis")) return oggVorbis;
  if (packet.startsWith("\x7fFLAC")) return oggFlac;
  throw new UserError(
    `${name} must hold Opus, Vorbis or FLAC in its Ogg stream, but it begins with ${JSON.stringify(packet)}. ` +
      conversion(name, piped),
  );
}

function conversion(name: string, piped: boolean): string {
  return piped
    ? "Convert it with: ffmpeg -i INPUT -f wav -"
    : `Convert it with: ffmpeg -i ${shellName(name)} OUTPUT.flac`;
}
