import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bridgePath } from "../../setup/places.mjs";
import { MappedFileError, mapFile } from "./mapped-file.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mapped-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("mapFile", () => {
  it("has a file's bytes, whatever comes to be under its name later", async () => {
    const path = join(directory, "bytes");
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 251));
    await writeFile(path, bytes);
    const mapped = mapFile(path);
    await writeFile(`${path}.new`, "other");
    await rename(`${path}.new`, path);
    expect(mapped.byteLength).toBe(100_000);
    expect(Buffer.compare(Buffer.from(mapped), bytes)).toBe(0);
    expect(Buffer.from(mapFile(path)).toString()).toBe("other");
  });

  it("keeps what is written into it to itself", async () => {
    const path = join(directory, "bytes");
    await writeFile(path, "shared");
    const [one, two] = [mapFile(path), mapFile(path)];
    new Uint8Array(one)[0] = 0x53;
    expect(Buffer.from(one).toString()).toBe("Shared");
    expect(Buffer.from(two).toString()).toBe("shared");
    expect(await readFile(path, "utf8")).toBe("shared");
  });

  it("is there in worker threads, which may end before it", async () => {
    const path = join(directory, "bytes");
    await writeFile(path, "in every thread");
    const source = `
      const { parentPort, workerData } = require("node:worker_threads");
      const mapped = require(workerData.bridge).mapFile(workerData.path);
      parentPort.postMessage(Buffer.from(mapped).toString());`;
    const worker = new Worker(source, { eval: true, workerData: { bridge: bridgePath(), path } });
    const message = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    await worker.terminate();
    expect(message).toBe("in every thread");
  });

  it("says why there is no such memory", async () => {
    await mkdir(join(directory, "directory"));
    await writeFile(join(directory, "empty"), "");
    for (const [name, code] of [
      ["missing", "ENOENT"],
      ["directory", "EISDIR"],
      ["empty", "ENODATA"],
    ] as const) {
      const path = join(directory, name);
      const map = () => mapFile(path);
      expect(map).toThrow(MappedFileError);
      expect(map).toThrow(expect.objectContaining({ code, message: expect.stringContaining(path) }));
    }
    expect(() => mapFile(1 as unknown as string)).toThrow("mapFile");
  });
});
