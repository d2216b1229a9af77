import { shellName } from "./shell-name.js";

/**
 * Ends a sentence that begins with a file or a line of it which is no UTF-8: what it seems to be, and the command that
 * converts the file.
 *
 * @param path `-` is standard input
 * @param bytes the beginning of what is no UTF-8
 */
export function notUtf8(path: string, bytes: Uint8Array): string {
  const utf16 = utf16Name(bytes);
  const from = utf16 ?? LIKELY;
  const command = `iconv -f ${from} -t UTF-8${path === "-" ? "" : ` ${shellName(path)} > OUTPUT`}`;
  return utf16 === undefined
    ? `must be UTF-8 text, but is not. Convert it, from the encoding that it is in (often ${LIKELY}): ${command}`
    : `must be UTF-8 text, but is ${utf16}. Convert it: ${command}`;
}

/** What most texts are in that are no Unicode: latin1 and some more. */
const LIKELY = "WINDOWS-1252";

/** By its byte order mark, or by the zeros that every other byte of most texts is; as iconv calls it. */
function utf16Name(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return "UTF-16";
  const zeros = [0, 0];
  for (const [i, byte] of bytes.entries()) if (byte === 0) zeros[i % 2]!++;
  const [even, odd] = zeros as [number, number];
  if (Math.max(even, odd) * 4 <= bytes.length) return undefined;
  return odd > even ? "UTF-16LE" : "UTF-16BE";
}
