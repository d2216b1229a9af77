import { readFile } from "node:fs/promises";
import { crc16 } from "../../audio/crc.js";
import { findSync, parseFrameHeader } from "../../audio/flac-frames.js";
import type { ClipFault } from "./findings.js";

/** A FLAC frame is hardly ever longer: 4608 samples of 8 channels and 24 bits take 111 kB before they are packed. */
const LONGEST_FRAME = 2 ** 17;

/**
 * The kind of what `readAudio` refuses, by its message. It cannot tell a FLAC file that ends too early from one with a
 * damaged frame, behind which the next one is not found; the latter's end is a whole frame.
 */
export async function audioFault(path: string, message: string): Promise<ClipFault> {
  if (message.includes("cancel each other out")) return "cancelled-channels";
  if (
    /truncated or corrupt|no sample could be decoded/.test(message) &&
    endsInFrame(await readFile(path).catch(() => Buffer.alloc(0)))
  )
    return "corrupt-audio";
  if (/truncated|cut off|ends after|no sample could be decoded/.test(message)) return "truncated-audio";
  return /corrupt|damaged|is missing|goes on behind|checksum|CRC|MD5/.test(message)
    ? "corrupt-audio"
    : "unreadable-audio";
}

/** Whether a frame ends where the file does, and its checksum is right. */
function endsInFrame(file: Uint8Array): boolean {
  const tail = file.subarray(-LONGEST_FRAME);
  for (let at = findSync(tail, 0, tail.length); at < tail.length; at = findSync(tail, at + 1, tail.length))
    if (parseFrameHeader(tail, at) && crc16(tail, at) === 0) return true;
  return false;
}
