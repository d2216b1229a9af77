import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readErrorFile, writeErrorFile } from "./error-file.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "error-file-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("an error file", () => {
  it("is torchrun's", () => {
    const path = join(directory, "error.json");
    const error = {
      message: "UserError: no clips",
      detail: "no clips",
      time: 1_732_800_000_123,
      exitCode: 1,
    };
    writeErrorFile(path, error);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      message: {
        message: "UserError: no clips",
        extraInfo: {
          py_callstack: "no clips",
          timestamp: "1732800000",
          milliseconds: "1732800000123",
          exit_code: "1",
        },
      },
    });
    expect(readErrorFile(path)).toEqual(error);
  });

  it("is read as Python's record writes it", () => {
    const path = join(directory, "error.json");
    const extraInfo = { py_callstack: "Traceback …", timestamp: "1732800000" };
    writeFileSync(path, JSON.stringify({ message: { message: "TypeError: x", extraInfo } }));
    expect(readErrorFile(path)).toEqual({
      message: "TypeError: x",
      detail: "Traceback …",
      time: 1_732_800_000_000,
    });
  });

  it("is nothing where it is missing, half or of another kind", () => {
    const path = join(directory, "error.json");
    expect(readErrorFile(path)).toBeUndefined();
    for (const text of ['{"message":{"mess', "7", '{"message":"a text"}', '{"message":{"message":"a"}}']) {
      writeFileSync(path, text);
      expect(readErrorFile(path), text).toBeUndefined();
    }
    expect(() =>
      writeErrorFile(join(directory, "none/error.json"), { message: "", detail: "", time: 0 }),
    ).not.toThrow();
  });
});
