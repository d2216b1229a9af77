import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notUtf8 } from "./text-encoding.js";

describe("notUtf8", () => {
  test.each([
    ["latin1", Buffer.from("grüne Käfer", "latin1"), "is not. Convert it, from the encoding that it is in"],
    [
      "UTF-16 with a mark",
      Buffer.from("\ufeffgrüne Käfer", "utf16le"),
      "is UTF-16. Convert it: iconv -f UTF-16 ",
    ],
    ["UTF-16LE without", Buffer.from("grüne Käfer", "utf16le"), "is UTF-16LE. Convert it: "],
    ["UTF-16BE without", Buffer.from("grüne Käfer", "utf16le").swap16(), "is UTF-16BE. Convert it: "],
  ])("gives a command that converts %s", (_, bytes, expected) => {
    const directory = mkdtempSync(join(tmpdir(), "encoding-"));
    try {
      const path = join(directory, "a b.txt");
      writeFileSync(path, bytes);
      const message = notUtf8(path, bytes);
      expect(message).toContain(`must be UTF-8 text, but ${expected}`);
      const command = message.slice(message.indexOf("iconv ")).replace("OUTPUT", "out.txt");
      execFileSync("sh", ["-c", command], { cwd: directory });
      expect(readFileSync(join(directory, "out.txt"), "utf8").replace("\ufeff", "")).toBe("grüne Käfer");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("names no file where there is none", () => {
    expect(notUtf8("-", Buffer.from([0xe9]))).toMatch(/iconv -f WINDOWS-1252 -t UTF-8$/);
  });
});
