import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTensors } from "./open-tensors.js";
import { loadTensors } from "./tensor-file.js";
import { TensorFileError } from "./tensor-source.js";

// Made by reference/pytorch_files.py.
const FILES = fileURLToPath(new URL("../../test/pytorch-files/", import.meta.url));
const SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
const MAP = { "first.weight": SHARDS[0], "first.bias": SHARDS[0], "second.weight": SHARDS[1] };

let directory: string;
let copies = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sharded-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** The shards beside an index of one's own. */
async function indexOf(index: unknown): Promise<string> {
  const own = join(directory, `${copies++}`);
  await mkdir(own);
  for (const shard of SHARDS) await copyFile(join(FILES, shard), join(own, shard));
  const path = join(own, "model.safetensors.index.json");
  await writeFile(path, typeof index === "string" ? index : JSON.stringify(index));
  return path;
}

describe("a checkpoint in shards", () => {
  it.each(["model.safetensors.index.json", "pytorch_model.bin.index.json"])("%s", async (file) => {
    const { tensors, metadata } = await loadTensors(join(FILES, file));
    expect(Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.toArray()]))).toEqual({
      "first.weight": [0, 1, 2, 3],
      "first.bias": [0, 1],
      "second.weight": [10, 11, 12, 13, 14, 15],
    });
    expect({ ...metadata }).toEqual(file.startsWith("model") ? { format: "pt" } : {});
  });

  it("is opened whatever its name, through links, and with shards in folders", async () => {
    const path = await indexOf({ weight_map: { ...MAP, "second.weight": "below/second" } });
    const own = join(path, "..");
    await mkdir(join(own, "below"));
    await symlink(join(own, SHARDS[1]), join(own, "below/second"));
    const renamed = join(own, "index");
    await symlink(path, renamed);
    const source = await openTensors(renamed);
    expect([...source.entries.keys()].sort()).toEqual(Object.keys(MAP).sort());
    expect(source.locate("second.weight")?.path).toContain("below/second");
    const memory = new Float32Array(6);
    await source.read("second.weight", new Uint8Array(memory.buffer));
    expect([...memory]).toEqual([10, 11, 12, 13, 14, 15]);
    await source.close();
    await expect(source.read("second.weight")).rejects.toThrow(/index must be open/);
  });
});

describe("an index that does not fit its shards", () => {
  it.each<[string, unknown, RegExp]>([
    ["a missing shard", { weight_map: { ...MAP, x: "x.safetensors" } }, /shard "x\.safetensors".*ENOENT/],
    [
      "a name that the shard lacks",
      { weight_map: { ...MAP, x: SHARDS[1] } },
      /shard "model-00002-of-00002\.safetensors" of .* must hold tensor "x", but does not/,
    ],
    [
      "a tensor that the index lacks",
      { weight_map: { "first.weight": SHARDS[0] } },
      /places "first\.bias" nowhere/,
    ],
    [
      "a tensor in another shard than the index says",
      { weight_map: { ...MAP, "first.bias": SHARDS[1] } },
      /places "first\.bias" in "model-00002/,
    ],
    [
      "a shard above the directory",
      { weight_map: { a: "../a" } },
      /tensor "a" .* must be .* below .* but is "\.\.\/a"/,
    ],
    ["a shard by a detour", { weight_map: { a: "x/../../a" } }, /but is "x\/\.\.\/\.\.\/a"/],
    ["an absolute shard", { weight_map: { a: "/etc/passwd" } }, /but is "\/etc\/passwd"/],
    ["Windows' separators", { weight_map: { a: "..\\a" } }, /but is "\.\.\\\\a"/],
    ["Windows' drives", { weight_map: { a: "c:a" } }, /but is "c:a"/],
    ["no name", { weight_map: { a: "" } }, /but is ""/],
    ["a name with NUL", { weight_map: { a: "a\0" } }, /but is "a\\u0000"/],
    ["a number for a name", { weight_map: { a: 1 } }, /but is no text/],
    ["itself as a shard", { weight_map: { a: "model.safetensors.index.json" } }, /is an index itself/],
    ["no weight_map", { metadata: {} }, /must have an object "weight_map", but has none/],
    ["a weight_map that is a list", { weight_map: [] }, /must have an object "weight_map"/],
    ["no JSON", "{oops", /must have .* at character 1/],
    ["a repeated name", '{"weight_map":{"a":"x","a":"x"}}', /repeats "a"/],
  ])("%s", async (_, index, message) => {
    const path = await indexOf(index);
    const error = await openTensors(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TensorFileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(path);
  });

  it("a damaged shard, whose name comes with the fault; no file stays open", async () => {
    const path = await indexOf({ weight_map: MAP });
    const shard = join(path, "..", SHARDS[1]);
    await writeFile(shard, (await readFile(shard)).subarray(0, -1));
    const open = async () => (await readdir("/proc/self/fd").catch(() => [])).length;
    const before = await open();
    await expect(openTensors(path)).rejects.toThrow(/names the shard "model-00002.*truncated/);
    expect(await open()).toBe(before);
  });
});
