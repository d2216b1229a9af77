import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTensors } from "./open-tensors.js";
import { loadTensors } from "./tensor-file.js";
import { TensorFileError, type TensorSource } from "./tensor-source.js";

// Made by reference/pytorch_files.py.
const FILES = fileURLToPath(new URL("../../test/pytorch-files/", import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pytorch-file-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** mulberry32 */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

async function withTensors<T>(path: string, body: (source: TensorSource) => Promise<T>): Promise<T> {
  const source = await openTensors(path);
  try {
    return await body(source);
  } finally {
    await source.close();
  }
}

const grid = (rows: readonly number[], columns: readonly number[]): number[] =>
  rows.flatMap((row) => columns.map((column) => row * 6 + column));

const STATE: Record<string, { dtype: string; shape: number[]; values: number[] }> = {
  float32: { dtype: "float32", shape: [2, 3], values: [0, 0.25, 0.5, 0.75, 1, 1.25] },
  float64: { dtype: "float64", shape: [3], values: [0, 0.125, 0.25] },
  float16: { dtype: "float16", shape: [2, 2], values: [0, 0.5, 1, 1.5] },
  bfloat16: { dtype: "bfloat16", shape: [5], values: [0, 0.5, 1, 1.5, 2] },
  int64: { dtype: "int64", shape: [3], values: [0, 1, 2].map((i) => i - 2 ** 40) },
  int32: { dtype: "int32", shape: [3], values: [-1, 0, 1] },
  uint8: { dtype: "uint8", shape: [4], values: [250, 251, 252, 253] },
  bool: { dtype: "bool", shape: [3], values: [1, 0, 1] },
  scalar: { dtype: "float32", shape: [], values: [2.5] },
  empty: { dtype: "float32", shape: [0, 4], values: [] },
  transposed: { dtype: "float32", shape: [3, 2], values: [0, 3, 1, 4, 2, 5] },
  permuted: {
    dtype: "int64",
    shape: [4, 2, 3],
    values: Array.from(
      { length: 24 },
      (_, i) => Math.floor(i / 6) + 12 * (Math.floor(i / 3) % 2) + 4 * (i % 3),
    ),
  },
  whole: { dtype: "float32", shape: [4, 6], values: grid([0, 1, 2, 3], [0, 1, 2, 3, 4, 5]) },
  rows: { dtype: "float32", shape: [2, 6], values: grid([1, 2], [0, 1, 2, 3, 4, 5]) },
  column: { dtype: "float32", shape: [4], values: grid([0, 1, 2, 3], [2]) },
  steps: { dtype: "float32", shape: [2, 2], values: grid([0, 2], [1, 4]) },
  parameter: { dtype: "float32", shape: [3], values: [1, 2, 3] },
};

describe("what PyTorch saves", () => {
  it.each(["state.bin", "protocol4.bin"])("%s: every dtype, view and shared storage", async (file) => {
    const { tensors, metadata } = await loadTensors(join(FILES, file));
    expect(metadata).toEqual({});
    expect([...tensors.keys()].sort()).toEqual(Object.keys(STATE).sort());
    for (const [name, expected] of Object.entries(STATE)) {
      const tensor = tensors.get(name)!;
      const found = { dtype: tensor.dtype, shape: [...tensor.shape], values: tensor.toArray() };
      expect(found, name).toEqual(expected);
    }
  });

  it("a plain dict, whose view has steps in both dimensions", async () => {
    const tensor = (await loadTensors(join(FILES, "dict.bin"))).tensors.get("a")!;
    const expected = [0, 9, 18, 27, 36].flatMap((column) =>
      [0, 7, 14, 21, 28].map((row) => (row * 40 + column) % 256),
    );
    expect(tensor.shape).toEqual([5, 5]);
    expect(tensor.toArray()).toEqual(expected);
  });

  it("before byte orders were noted", async () => {
    expect((await loadTensors(join(FILES, "old.bin"))).tensors.get("a")!.toArray()).toEqual([0, 1]);
  });

  it("is read into given memory, one tensor at a time, until it is closed", async () => {
    const source = await openTensors(join(FILES, "state.bin"));
    expect(source.entries.get("transposed")).toMatchObject({ dtype: "F32", shape: [3, 2], byteLength: 24 });
    expect(source.locate("transposed")).toBeUndefined();
    const memory = new Uint8Array(30).fill(9);
    await source.read("transposed", memory.subarray(3, 27));
    expect([...new Float32Array(memory.slice(3, 27).buffer)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect([...memory.slice(0, 3), ...memory.slice(27)]).toEqual([9, 9, 9, 9, 9, 9]);
    await expect(source.read("rows", memory)).rejects.toThrow(/must have 48 bytes, but has 30/);
    await expect(source.read("toString")).rejects.toThrow(/must have a tensor "toString"/);
    await source.close();
    await source.close();
    await expect(source.read("rows")).rejects.toThrow(/must be open/);
    expect(() => source.locate("rows")).toThrow(/must be open/);
  });

  it("says when the file is cut while it is open", async () => {
    const path = join(directory, "cut.bin");
    await writeFile(path, await readFile(join(FILES, "state.bin")));
    await withTensors(path, async (source) => {
      await truncate(path, 600);
      await expect(source.read("whole")).rejects.toThrow(/cut while it was open/);
      await expect(source.read("transposed")).rejects.toThrow(/cut while it was open/);
      await expect(loadTensors(source)).rejects.toThrow(/cut while it was open/);
    });
  });
});

describe("what is refused, by its name", () => {
  it.each([
    ["system.bin", /must hold only tensors, but its pickle names posix\.system\. Nothing of it was run/],
    ["eval.bin", /its pickle names builtins\.eval/],
    ["module.bin", /its pickle names torch\.nn\.modules\.linear\.Linear/],
    ["sparse.bin", /its pickle names torch\._utils\._rebuild_sparse_tensor/],
    ["nested.bin", /entry "model" of .* must be a tensor, but is a dict\. Save the model's state dict alone/],
    ["number.bin", /entry "step" of .* must be a tensor, but is the number 3/],
    ["key.bin", /names of .* must be text, but one is the number 1/],
    ["list.bin", /must hold a dict of tensors, but holds a list/],
    ["expanded.bin", /shape of tensor "a" .* must be within the 1 elements of its storage, but is \[1000\]/],
    ["conjugated.bin", /its pickle names torch\.ComplexFloatStorage/],
    ["legacy.bin", /zip format of PyTorch 1\.6 and later.*Load it in PyTorch and save it again/],
    ["script.bin", /is a TorchScript program/],
    ["compressed.bin", /must be stored as it is, but is compressed/],
    ["big-endian.bin", /byte order of .* must be little, but is "big"/],
    ["no-storage.bin", /storage "data\/0" of tensor "a" .* must have 8 bytes, but is missing/],
    ["short-storage.bin", /must have 8 bytes, but has 4/],
    ["no-pickle.bin", /with one data\.pkl, but has none/],
  ])("%s", async (file, message) => {
    const error = await openTensors(join(FILES, file)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TensorFileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(file);
    expect(existsSync("executed")).toBe(false);
  });

  it.each([
    ["offset", [0x51, 0x4b, 0, 0x4b, 2], 2, /must be within the 2 elements of its storage, but is element 3/],
    ["stride", [0x4b, 1, 0x85], 1, /must be within the 2 elements of its storage, but is element 201/],
  ])("a view that an %s leads out of its storage", async (_, opcodes, at, message) => {
    const bytes = await readFile(join(FILES, "old.bin"));
    const found = bytes.indexOf(Uint8Array.from(opcodes));
    expect(found).toBeGreaterThan(0);
    bytes[found + at] = at === 2 ? 1 : 200;
    const path = join(directory, "outside.bin");
    await writeFile(path, bytes);
    await expect(openTensors(path)).rejects.toThrow(message);
  });

  it("a pointer of Git LFS, with what to do", async () => {
    const path = join(directory, "pointer.bin");
    await writeFile(path, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n");
    await expect(openTensors(path)).rejects.toThrow(/pointer of Git LFS.*git lfs pull/);
  });

  it("a file that is not there, and a directory", async () => {
    await expect(openTensors(join(directory, "none.bin"))).rejects.toThrow(
      /none\.bin must be a readable .*ENOENT/,
    );
    await expect(openTensors(directory)).rejects.toThrow(/not a regular file/);
  });
});

describe("damage gives an error of ours or tensors within the file", () => {
  /** Opens and reads whatever can be; anything but a `TensorFileError` fails the test. */
  async function survive(path: string): Promise<"read" | "refused"> {
    try {
      await withTensors(path, async (source) => {
        const { size } = await stat(path);
        for (const [name, { byteLength }] of source.entries) {
          expect(byteLength).toBeLessThanOrEqual(size);
          await source.read(name);
        }
      });
      return "read";
    } catch (error) {
      expect(error).toBeInstanceOf(TensorFileError);
      return "refused";
    }
  }

  it("cut at every length", async () => {
    const whole = await readFile(join(FILES, "old.bin"));
    const path = join(directory, "short.bin");
    for (let length = 0; length < whole.byteLength; length++) {
      await writeFile(path, whole.subarray(0, length));
      expect(await survive(path), `${length} bytes`).toBe("refused");
    }
  });

  it("every byte changed, in two ways", async () => {
    const whole = await readFile(join(FILES, "old.bin"));
    const path = join(directory, "changed.bin");
    const seen = { read: 0, refused: 0 };
    for (let at = 0; at < whole.byteLength; at++) {
      for (const byte of [whole[at]! ^ 1, whole[at]! ^ 0x80]) {
        const changed = Buffer.from(whole);
        changed[at] = byte;
        await writeFile(path, changed);
        seen[await survive(path)]++;
      }
    }
    expect(seen.read).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(300);
  });

  it("random bytes in the larger files, and pieces of them moved", async () => {
    const random = seeded(3);
    const files = await Promise.all(
      ["state.bin", "protocol4.bin"].map((file) => readFile(join(FILES, file))),
    );
    const path = join(directory, "random.bin");
    for (let round = 0; round < 600; round++) {
      const bytes = Buffer.from(files[round % 2]!);
      for (let changes = 1 + random(4); changes > 0; changes--) {
        // Half of the changes go where the pickle lies.
        const at = random(2) === 0 ? random(3000) : random(bytes.byteLength);
        if (random(4) === 0) bytes.copyWithin(at, random(bytes.byteLength), random(bytes.byteLength));
        else bytes[at] = random(256);
      }
      await writeFile(path, bytes);
      await survive(path);
    }
  });
});
