import { UserError } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import type { AudioFormat, AudioHeader, DecodedAudio, SampleRange } from "./decoded-audio.js";
import { decodeFlac, decodeFlacRange, readFlacHeader } from "./flac.js";
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

/**
 * Tells by its first bytes what a file holds.
 * @throws UserError naming the file where it is empty or of none of the formats
 */
export function detectFormat(source: ByteSource, name: string): FormatReader {
  if (source.size === 0) throw new UserError(`${name} must be an audio file, but is empty (0 bytes).`);
  const magic = String.fromCharCode(...source.read(0, 4));
  if (magic === "fLaC") return flac;
  if (magic === "RIFF") return wav;
  throw new UserError(
    `${name} must be FLAC or WAV, but begins with ${JSON.stringify(magic)}. ` +
      `Convert it with: ffmpeg -i ${name} OUTPUT.flac`,
  );
}
