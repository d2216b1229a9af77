import type { FileHandle } from "node:fs/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { syncDirectory, writeAll } from "./file-writes.js";

const sync = vi.hoisted(() => vi.fn());
vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  open: async () => ({ sync, [Symbol.asyncDispose]: async () => {} }),
}));
afterEach(() => sync.mockReset());

const failure = (code: string) => Object.assign(new Error(code), { code });

describe("writeAll", () => {
  it("goes on where the system took a part", async () => {
    const written: number[] = [];
    const write = async (bytes: Uint8Array, from: number, length: number) => {
      const taken = Math.min(3, length);
      written.push(...bytes.subarray(from, from + taken));
      return { bytesWritten: taken };
    };
    await writeAll({ write } as unknown as FileHandle, Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(written).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe.skipIf(process.platform === "win32")("syncDirectory", () => {
  it("bears file systems that cannot flush directories", async () => {
    for (const code of ["EINVAL", "ENOTSUP", "EBADF"]) {
      sync.mockRejectedValueOnce(failure(code));
      await syncDirectory("anywhere");
    }
    expect(sync).toHaveBeenCalledTimes(3);
  });

  it("throws where the disk fails", async () => {
    sync.mockRejectedValueOnce(failure("EIO"));
    await expect(syncDirectory("anywhere")).rejects.toThrow("EIO");
  });
});
