import { UserError } from "../../errors.js";
import { AGAIN } from "../decoded-audio.js";
import { inputName } from "../sources/source-names.js";
import type { PcmFormat } from "./pcm.js";

// Format tags of the "fmt " chunk: https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatex
export const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;

/**
 * How samples of these tags and bits are coded; undefined where they are not read. Integers of 12 or 20 bits lie in the highest
 * ones of as many bytes as they need.
 */
function encodingOf(code: number, bits: number): PcmFormat["encoding"] | undefined {
  if (code === PCM && bits >= 8 && bits <= 32) return "integer";
  if (code === FLOAT && [32, 64].includes(bits)) return "float";
  if (bits === 8 && code === A_LAW) return "a-law";
  return bits === 8 && code === MU_LAW ? "mu-law" : undefined;
}

function bytesOf(sampleBits: number): number {
  return Math.ceil(sampleBits / 8);
}

/** What must be seen of the "fmt " chunk, which is longest where it is extensible. */
export const FORMAT_CHUNK = 40;

/**
 * @param body the chunk's first 40 bytes, or all of them where they are fewer
 * @throws UserError where it is cut off, of an encoding that is not read, or says two things
 */
export function parseFormat(body: Uint8Array, size: number, name: string): PcmFormat {
  if (size < 16)
    throw new UserError(
      `${name} must have a "fmt " chunk of 16 bytes or more, but has one of ${size}: its header is corrupt. ${AGAIN}`,
      { code: "ERR_AUDIO_CORRUPT" },
    );
  if (body.length < Math.min(size, FORMAT_CHUNK))
    throw new UserError(
      `${name} must have a whole "fmt " chunk, but the chunk is cut off: the file is truncated. ${AGAIN}`,
      { code: "ERR_AUDIO_TRUNCATED" },
    );
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let code = view.getUint16(0, true);
  const channels = view.getUint16(2, true);
  const sampleRate = view.getUint32(4, true);
  const blockAlign = view.getUint16(12, true);
  const sampleBits = view.getUint16(14, true);
  // The extensible format's sub-format GUID begins with the plain format tag.
  if (code === EXTENSIBLE && size >= 26) code = view.getUint16(24, true);
  const encoding = encodingOf(code, sampleBits);
  if (!encoding)
    throw new UserError(
      `${name} must hold PCM of 8 to 32 bits, float of 32 or 64 bits, A-law or µ-law, but holds format ${code} ` +
        `with ${sampleBits} bits. Convert it with: ffmpeg -i ${inputName(name)} -c:a pcm_s16le OUTPUT.wav`,
      { code: "ERR_AUDIO_FORMAT" },
    );
  if (channels === 0 || sampleRate === 0)
    throw new UserError(
      `${name} must have at least one channel and a sample rate, but has ${channels} and ${sampleRate} Hz.`,
    );
  requireAlignment({ blockAlign, sampleBits, channels }, name);
  return { encoding, channels, sampleRate, sampleBytes: bytesOf(sampleBits) };
}

/**
 * Samples may lie in more bytes than their bits fill: whoever goes by the bits alone then reads noise, and where in the
 * bytes the bits are, no header tells. What writers get wrong without another meaning is let pass: nothing, the size of
 * one channel's sample, or bits in the place of bytes.
 */
function requireAlignment(
  { blockAlign, sampleBits, channels }: { blockAlign: number; sampleBits: number; channels: number },
  name: string,
): void {
  const sampleBytes = bytesOf(sampleBits);
  const harmless = [0, sampleBytes, sampleBytes * channels, sampleBits, sampleBits * channels];
  // Six channels of 24 bits in four bytes each have as many bytes as a sample has bits.
  const isPadded = sampleBytes === 3 && blockAlign === 4 * channels;
  if (harmless.includes(blockAlign) && !isPadded) return;
  throw new UserError(
    `${name} must say one thing of its samples, but its header says ${sampleBits} bits a sample and ` +
      `${Number((blockAlign / channels).toFixed(2))} bytes a sample and channel. Write it again from its source; ` +
      "which of the two is right, the file does not tell.",
  );
}
