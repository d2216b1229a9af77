// Tags that programs put in front of and behind audio of any format, whatever its own way to hold them is.

/** What must be seen to tell a tag's size. */
export const TAG_HEADER = 32;

const ID3V1 = 128;

/**
 * Of a tag that begins here, with its header and footer; 0 where none does, infinite where only its end would tell:
 * ID3v2 (https://id3.org/id3v2.4.0-structure), ID3v1, APE (https://wiki.hydrogenaudio.org/index.php?title=APE_Tags_Header),
 * Lyrics3 (https://id3.org/Lyrics3v2).
 */
export function tagSize(head: Uint8Array): number {
  if (startsWith(head, "ID3") && head.length >= 10 && head[3]! < 0xff) {
    // Seven bits a byte; a footer of ten bytes where the flag says so.
    const size = (head[6]! << 21) | (head[7]! << 14) | (head[8]! << 7) | head[9]!;
    return 10 + size + (head[5]! & 0x10 ? 10 : 0);
  }
  if (startsWith(head, "APETAGEX") && head.length >= TAG_HEADER) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const isHeader = (view.getUint32(20, true) & 0x20000000) !== 0;
    return TAG_HEADER + (isHeader ? view.getUint32(12, true) : 0);
  }
  if (startsWith(head, "TAG+")) return 227;
  if (startsWith(head, "TAG")) return ID3V1;
  if (startsWith(head, "3DI")) return 10;
  return startsWith(head, "LYRICSBEGIN") ? Number.POSITIVE_INFINITY : 0;
}

/** Of a tag in front of audio: those that only stand at a file's end are none there. */
export function leadingTagSize(head: Uint8Array): number {
  return startsWith(head, "ID3") || startsWith(head, "APETAGEX") ? tagSize(head) : 0;
}

export function startsWith(bytes: Uint8Array, text: string, at = 0): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
