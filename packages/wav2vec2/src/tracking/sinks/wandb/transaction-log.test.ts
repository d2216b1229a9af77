import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WandbRecord } from "./record.js";
import { readTransactionLog, TransactionLog } from "./transaction-log.js";

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "transaction-log-"));
  path = join(directory, "run-x.wandb");
});
afterEach(() => rmSync(directory, { recursive: true }));

const lineOf = (line: string): WandbRecord => ({ outputRaw: { line } });
const lines = (): string[] => readTransactionLog(path).records.map(({ outputRaw }) => outputRaw!.line!);
const write = (log: TransactionLog, ...all: readonly string[]): void => {
  for (const line of all) log.append(lineOf(line));
};

describe("TransactionLog", () => {
  it("begins as W&B's own", () => {
    write(new TransactionLog(path), "a");
    const bytes = readFileSync(path);
    expect(bytes.toString("hex", 0, 7)).toBe("3a572642e1be00");
    // checksum of kind and data, length, the kind of a whole record, then field 1 (num) and field 13 (output_raw)
    expect(bytes.toString("hex", 7)).toBe("1ec413a20700010801" + "6a031a0161");
  });

  it("holds records of all lengths, over blocks whose ends they meet in every way", () => {
    const log = new TransactionLog(path);
    const texts = [1, 32_700, 3, 70_000, 0].map((length) => "x".repeat(length));
    // Ends a block with 0 to 8 bytes left.
    const near = Array.from({ length: 9 }, (_, left) => {
      write(log, "y");
      const here = statSync(path).size % 32_768;
      const text = "z".repeat(32_768 - here - 7 - 10 - left);
      write(log, text);
      return ["y", text];
    }).flat();
    write(log, ...texts);
    expect(lines()).toEqual([...near, ...texts]);
    expect(readTransactionLog(path).records.map(({ num }) => num)).toEqual(
      Array.from({ length: near.length + texts.length }, (_, index) => index + 1),
    );
  });

  it.each([1, 5, 9, 30])(
    "is read up to the last whole record where %d bytes of it are missing",
    (missing) => {
      write(new TransactionLog(path), "a", "b".repeat(40));
      truncateSync(path, statSync(path).size - missing);
      expect(lines()).toEqual(["a"]);
    },
  );

  it("is read up to what is damaged", () => {
    const log = new TransactionLog(path);
    write(log, "a");
    const { size } = statSync(path);
    write(log, "b", "c");
    const bytes = readFileSync(path);
    bytes[size + 8]! ^= 1;
    writeFileSync(path, bytes);
    expect(lines()).toEqual(["a"]);
  });

  it("goes on behind the last whole record, without an exit before", () => {
    const first = new TransactionLog(path);
    write(first, "a", "b");
    first.append({ exit: { exitCode: 1 } });
    appendFileSync(path, "torn");
    write(TransactionLog.continue(path), "c");
    expect(lines()).toEqual(["a", "b", "c"]);
    expect(readTransactionLog(path).records.at(-1)!.num).toBe(3);
  });

  it("keeps numbers of files beyond 4 GB, and empty messages", () => {
    const artifact = { manifest: { contents: [{ path: "model", size: 5_000_000_000n }] } };
    const log = new TransactionLog(path);
    log.append({ artifact });
    log.append({ metric: { globName: "*", options: {} } });
    expect(readTransactionLog(path).records).toMatchObject([
      { artifact },
      { metric: { globName: "*", options: {} } },
    ]);
  });
});
