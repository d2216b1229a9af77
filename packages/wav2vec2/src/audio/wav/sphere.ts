import { UserError } from "../../errors.js";
import { latin1 } from "../../latin1.js";
import { AGAIN, type AudioHeader, type DecodedAudio, type SampleRange } from "../decoded-audio.js";
import type { ByteSource } from "../sources/byte-source.js";
import type { ByteStream } from "../sources/byte-stream.js";
import { inputName } from "../sources/source-names.js";
import { decodePcm, type PcmFormat, streamSamples } from "./pcm.js";

/**
 * NIST SPHERE, in which TED-LIUM, TIMIT, Switchboard and other corpora of the LDC come: a header of text, then samples
 * (https://www.nist.gov/itl/iad/mig/tools, sphere.c of the SPHERE package).
 */
export const SPHERE_MAGIC = "NIST_1A";

/** Of "NIST_1A" and the header's size, a line each. */
const START = 16;
/** Larger than any header that was ever written. */
const MAX_HEADER = 2 ** 20;
/** More than any recording has: of a damaged header, memory would be taken for each. */
const MOST_CHANNELS = 2 ** 16;

interface SphereLayout {
  format: PcmFormat;
  /** Samples a channel. */
  samples: number;
  /** Of the first sample's first byte in the file. */
  position: number;
}

/** @throws UserError as `decodeSphere` */
export function readSphereHeader(source: ByteSource, name: string): AudioHeader {
  const { format, samples } = parseLayout(source, name);
  const { sampleRate, channels, sampleBytes } = format;
  return { format: "nist-sphere", sampleRate, channels, bitsPerSample: sampleBytes * 8, samples };
}

/**
 * Reads PCM of 16, 24 or 32 bits in either byte order, A-law and mu-law. PCM samples become integers / 2^(bits-1).
 * @param range all samples where absent
 * @throws UserError naming the file where it is truncated or compressed (shorten), with the command that converts it
 */
export function decodeSphere(source: ByteSource, name: string, range?: SampleRange): DecodedAudio {
  const { format, samples, position } = parseLayout(source, name);
  const { from, to } = range ?? { from: 0, to: samples };
  const frameBytes = format.channels * format.sampleBytes;
  const bytes = source.read(position + from * frameBytes, (to - from) * frameBytes);
  return { channelData: decodePcm(bytes, format, to - from), sampleRate: format.sampleRate };
}

/** Decodes as the bytes come. @throws UserError as `decodeSphere` */
export async function* streamSphere(stream: ByteStream, name: string): AsyncGenerator<DecodedAudio> {
  await stream.fill(START);
  const position = headerSize(stream.bytes.subarray(0, START), name);
  await stream.fill(position);
  const { format, samples } = parseHeader(stream.bytes.subarray(0, position), position, name);
  stream.take(position);
  const begin = stream.position; // behind tags too
  const size = samples === undefined ? undefined : samples * format.channels * format.sampleBytes;
  yield* streamSamples(stream, format, size);
  const read = stream.position - begin + stream.bytes.length;
  if (size !== undefined && read < size) throw truncated(name, size, read);
}

function parseLayout(source: ByteSource, name: string): SphereLayout {
  const position = headerSize(source.read(0, START), name);
  const { format, samples } = parseHeader(source.read(0, position), position, name);
  const frameBytes = format.channels * format.sampleBytes;
  const available = source.size - position;
  if (samples !== undefined && samples * frameBytes > available)
    throw truncated(name, samples * frameBytes, available);
  return { format, samples: samples ?? Math.floor(available / frameBytes), position };
}

function headerSize(start: Uint8Array, name: string): number {
  const size = Number(latin1(start.subarray(8)).trim());
  if (Number.isInteger(size) && size >= START && size <= MAX_HEADER) return size;
  throw new UserError(`${name} must tell the size of its NIST SPHERE header, but does not. ${AGAIN}`, {
    code: "ERR_AUDIO_CORRUPT",
  });
}

/** @returns the samples of a channel where the header tells them */
function parseHeader(
  header: Uint8Array,
  size: number,
  name: string,
): { format: PcmFormat; samples: number | undefined } {
  if (header.length < size) throw truncated(name, size, header.length);
  const fields = parseFields(latin1(header));
  const sampleRate = wholeNumber(fields, "sample_rate", { least: 1, name }) ?? 0;
  const channels = wholeNumber(fields, "channel_count", { least: 1, most: MOST_CHANNELS, name }) ?? 1;
  const samples = wholeNumber(fields, "sample_count", { least: 0, name });
  if (sampleRate === 0) throw corruptHeader("a sample_rate", "has none", name);
  return { format: { ...codingOf(fields, name), channels, sampleRate }, samples };
}

/** @returns undefined where the header has no such field */
function wholeNumber(
  fields: ReadonlyMap<string, string>,
  key: string,
  { least, most = Number.MAX_SAFE_INTEGER, name }: { least: number; most?: number; name: string },
): number | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most < Number.MAX_SAFE_INTEGER ? `${least} to ${most}` : `${least} on`;
  throw corruptHeader(`a ${key} that is a whole number from ${range}`, `has ${text.slice(0, 40)}`, name);
}

function corruptHeader(wanted: string, found: string, name: string): UserError {
  return new UserError(`${name} must have ${wanted} in its NIST SPHERE header, but ${found}. ${AGAIN}`, {
    code: "ERR_AUDIO_CORRUPT",
  });
}

/** `sample_rate -i 16000` a line, until `end_head`. */
function parseFields(header: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of header.split("\n").slice(2)) {
    if (line.startsWith("end_head")) break;
    const [, key, value] = /^\s*(\S+)\s+-(?:i|r|s\d+)\s(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, value);
  }
  return fields;
}

function codingOf(
  fields: ReadonlyMap<string, string>,
  name: string,
): Pick<PcmFormat, "encoding" | "sampleBytes" | "bigEndian"> {
  const coding = fields.get("sample_coding") ?? "pcm";
  const sampleBytes = Number(fields.get("sample_n_bytes") ?? (/law/.test(coding) ? 1 : 2));
  const order = fields.get("sample_byte_format") ?? "01";
  if (/^(u|mu-?)law$/.test(coding) && sampleBytes === 1) return { encoding: "mu-law", sampleBytes };
  if (/^a-?law$/.test(coding) && sampleBytes === 1) return { encoding: "a-law", sampleBytes };
  if (coding === "pcm" && [2, 3, 4].includes(sampleBytes) && /^(0?1|1?0|0123|3210|012|210)$/.test(order))
    return { encoding: "integer", sampleBytes, bigEndian: /^(10|3210|210)$/.test(order) };
  const command = /shorten|wavpack|shortpack/.test(coding)
    ? `sph2pipe -f wav ${inputName(name)} OUTPUT.wav (https://www.openslr.org/3)`
    : `ffmpeg -i ${inputName(name)} OUTPUT.flac`;
  throw new UserError(
    `${name} must hold PCM of 16, 24 or 32 bits, A-law or mu-law in its NIST SPHERE file, but holds ${coding} ` +
      `of ${sampleBytes * 8} bits. Convert it with: ${command}`,
    { code: "ERR_AUDIO_FORMAT" },
  );
}

function truncated(name: string, size: number, available: number): UserError {
  return new UserError(
    `${name} must hold ${size} bytes of samples by its header, but only ${available} are there: ` +
      `the file is truncated. ${AGAIN}`,
    { code: "ERR_AUDIO_TRUNCATED" },
  );
}
