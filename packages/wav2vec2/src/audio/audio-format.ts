import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import type { AudioFormat, AudioHeader, DecodedAudio, SampleRange } from "./decoded-audio.js";
import { decodeFlac, decodeFlacRange, readFlacHeader } from "./flac.js";
import { decodeMp3, isMp3, readMp3Header } from "./mp3.js";
import { decodeOggFlac, readOggFlacHeader } from "./ogg-flac.js";
import { decodeOpus, readOpusHeader } from "./ogg-opus.js";
import { decodeVorbis, readVorbisHeader } from "./ogg-vorbis.js";
import { decodeWav, readWavHeader } from "./wav.js";

/** How a format is read. Both throw UserErrors that begin with `name`, the file's. */
export interface FormatReader {
  format: AudioFormat;
  readHeader(source: ByteSource, name: string): AudioHeader;
  /** Every sample, or those of `range`, which lies within what `readHeader` says. */
  decode(source: ByteSource, name: string, range?: SampleRange): Promise<DecodedAudio>;
}

const flac: FormatReader = {
  format: "flac",
  readHeader: readFlacHeader,
  decode: async (source, name, range) =>
    range ? decodeFlacRange(source, range, name) : decodeFlac(source.read(0, source.size), name),
};

const wav: FormatReader = {
  format: "wav",
  readHeader: readWavHeader,
  decode: async (source, name, range) => decodeWav(source, name, range),
};

/** A format of which files are decoded whole and then cut. */
function whole(
  format: AudioFormat,
  readHeader: FormatReader["readHeader"],
  decodeWhole: (source: ByteSource, name: string) => DecodedAudio | Promise<DecodedAudio>,
): FormatReader {
  return {
    format,
    readHeader,
    async decode(source, name, range) {
      const { channelData, sampleRate } = await decodeWhole(source, name);
      if (!range) return { channelData, sampleRate };
      return { channelData: channelData.map((channel) => channel.slice(range.from, range.to)), sampleRate };
    },
  };
}

const mp3 = whole("mp3", readMp3Header, decodeMp3);
const oggOpus = whole("ogg-opus", readOpusHeader, decodeOpus);
const oggVorbis = whole("ogg-vorbis", readVorbisHeader, decodeVorbis);
const oggFlac = whole("ogg-flac", readOggFlacHeader, decodeOggFlac);

/**
 * Tells by its first bytes what a file holds.
 * @throws UserError naming the file where it is empty or of none of the formats
 */
export function detectFormat(source: ByteSource, name: string): FormatReader {
  if (source.size === 0) throw new UserError(`${name} must be an audio file, but is empty (0 bytes).`);
  const head = source.read(0, 64);
  const magic = String.fromCharCode(...head.subarray(0, 4));
  if (magic === "fLaC") return flac;
  if (magic === "RIFF") return wav;
  if (magic === "OggS") return detectOgg(head, name);
  if (isMp3(head)) return mp3;
  throw new UserError(
    `${name} must be FLAC, WAV, MP3, Ogg Opus or Ogg Vorbis, but begins with ${JSON.stringify(magic)}. ` +
      `Convert it with: ffmpeg -i ${name} OUTPUT.flac`,
  );
}

/** The first page of an Ogg file holds the codec's header alone, behind one segment's length. */
function detectOgg(head: Uint8Array, name: string): FormatReader {
  const packet = String.fromCharCode(...head.subarray(28, 36));
  if (packet === "OpusHead") return oggOpus;
  if (packet.startsWith("\x01vorbis")) return oggVorbis;
  if (packet.startsWith("\x7fFLAC")) return oggFlac;
  throw new UserError(
    `${name} must hold Opus, Vorbis or FLAC in its Ogg stream, but it begins with ${JSON.stringify(packet)}. ` +
      `Convert it with: ffmpeg -i ${name} OUTPUT.flac`,
  );
}
