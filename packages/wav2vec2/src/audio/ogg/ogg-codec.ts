import { startsWith } from "../mp3/tags.js";
import { HEADER, pageLength } from "./ogg-page.js";

/** What an Ogg stream holds, by the beginning of its first packet: https://wiki.xiph.org/MIMETypesCodecs. */
const CODECS = [
  ["OpusHead", "opus"],
  ["\x01vorbis", "vorbis"],
  ["\x7fFLAC", "flac"],
] as const;

/** Of streams without sound: pictures, captions, and a skeleton that describes the others. */
const SILENT = ["fishead\0", "\x80theora", "\x80daala", "\x80kate", "\x01video", "BBCD\0", "OVP80", "CMML"];

/** @returns undefined where it is none that is read */
export function oggCodec(packet: Uint8Array): (typeof CODECS)[number][1] | undefined {
  return CODECS.find(([mark]) => startsWith(packet, mark))?.[1];
}

export function isSilentStream(packet: Uint8Array): boolean {
  return SILENT.some((mark) => startsWith(packet, mark));
}

/**
 * The first packet of the first stream that may hold sound: first pages of all streams stand in front.
 * @param bytes of a file, from its beginning on
 * @returns undefined where it is not there
 */
export function firstSound(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at === 0 || bytes[at + 5]! & 2; at += pageLength(bytes.subarray(at))) {
    const packet = bytes.subarray(at + HEADER + bytes[at + HEADER - 1]!);
    if (!isSilentStream(packet)) return packet;
  }
  return undefined;
}
