import { UserError } from "../../errors.js";
import { readBytes } from "../../files/file-bytes.js";
import { notUtf8 } from "../../files/text-encoding.js";

/**
 * The lines of a text in UTF-8, plain or gzipped, many at a time. What follows the last line end is a line if it is not
 * empty.
 *
 * @throws UserError where the file cannot be read or is no text in UTF-8, naming the line
 */
export async function* readTextLines(path: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 0;
  let rest = "";
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UserError(
        `${path}${line === 0 ? "" : `, behind line ${line},`} ${notUtf8(path, chunk ?? new Uint8Array(0))}`,
      );
    }
  };
  for await (const chunk of readBytes(path, "a text")) {
    const lines = (rest + decode(chunk)).split("\n");
    rest = lines.pop()!;
    line += lines.length;
    yield lines;
  }
  rest += decode();
  if (rest !== "") yield [rest];
}
