import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTensors, saveTensors } from "../files/tensor-file.js";
import { arange } from "../operators/operators.generated.js";
import { SnapshotMemory, type SnapshotSource, snapshotBytes } from "./snapshot.js";
import { type Tensor, tensor } from "./tensor.js";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "snapshot-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** Of several dtypes, one empty, one scalar, one not contiguous, most larger than a block of 128 bytes. */
const examples = (): [string, Tensor][] => [
  ["long", arange(0, 301).to({ dtype: "float32" })],
  ["turned", arange(0, 60).reshape([5, 12]).transpose(0, 1)],
  ["empty", tensor(new Float32Array(0), [0, 3])],
  ["scalar", tensor(2.5)],
  ["bytes", tensor(Uint8Array.from({ length: 77 }, (_, i) => i))],
  ["half", arange(0, 31).to({ dtype: "bfloat16" })],
];

async function read(name: string, parts: readonly Uint8Array[]): Promise<Map<string, Tensor>> {
  await writeFile(join(directory, name), Buffer.concat(parts));
  return (await loadTensors(join(directory, name))).tensors;
}

describe("a snapshot", () => {
  it("gives the bytes that writing the tensors gives, whatever the pieces of its memory", async () => {
    const tensors = examples();
    await saveTensors(join(directory, "written"), tensors);
    const { tensors: written } = await loadTensors(join(directory, "written"));
    for (const blockBytes of [128, 1024, 2 ** 20]) {
      const memory = new SnapshotMemory({ blockBytes });
      const files = memory.take([
        { name: "a", tensors },
        { name: "b", tensors: tensors.slice(0, 2) },
      ]);
      expect(files.map(({ name }) => name)).toEqual(["a", "b"]);
      const [a, b] = [await read("a", files[0]!.parts), await read("b", files[1]!.parts)];
      expect([...a.keys()]).toEqual([...written.keys()]);
      for (const [name, values] of [...a, ...b]) {
        expect(values.shape, name).toEqual(written.get(name)!.shape);
        expect(values.toArray(), name).toEqual(written.get(name)!.toArray());
      }
    }
  });

  it("does not change with the tensors", async () => {
    const values = arange(0, 10).to({ dtype: "float32" });
    const [file] = new SnapshotMemory().take([{ name: "x", tensors: [["x", values]] }]);
    values.fill_(-1);
    expect((await read("x", file!.parts)).get("x")!.toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("takes elements that come later, in any pieces", async () => {
    const whole = examples();
    const comesLater = (name: string) => name === "long" || name === "half";
    const later: SnapshotSource["tensors"] = whole.map(([name, values]) =>
      comesLater(name) ? [name, { dtype: values.dtype, shape: values.shape }] : [name, values],
    );
    const values = new Map(whole);
    const memory = new SnapshotMemory({ blockBytes: 128 });
    const [expected] = new SnapshotMemory().take([{ name: "x", tensors: whole }]);
    const [file] = memory.take([{ name: "x", tensors: later }]);
    for (const [name, cut] of [
      ["half", 7],
      ["long", 100],
    ] as const) {
      const tensor = values.get(name)!;
      memory.put("x", name, tensor.narrow(0, cut, tensor.numel - cut), cut);
      memory.put("x", name, tensor.narrow(0, 0, cut));
    }
    expect(Buffer.concat(file!.parts)).toEqual(Buffer.concat(expected!.parts));
    expect(() => memory.put("x", "turned", values.get("turned")!)).toThrow(
      "SnapshotMemory.put: the snapshot must wait for turned of x, but does not. Take one that has it first",
    );
  });

  it("takes memory once, as much as is reserved", () => {
    const tensors = examples();
    const memory = new SnapshotMemory({ blockBytes: 1024 });
    const needed = snapshotBytes([tensors.map(([, values]) => values)]);
    expect(needed).toBeGreaterThan(1204);
    const [first] = memory.reserve(needed);
    expect(memory.byteLength).toBe(needed);
    const [file] = memory.take([{ name: "x", tensors }]);
    expect(memory.byteLength).toBe(needed);
    expect(file!.parts[1]!.buffer).toBe(first!.buffer);
    memory.take([{ name: "x", tensors: [...tensors, ["more", arange(0, 1000)]] }]);
    expect(memory.byteLength).toBeGreaterThan(needed + 7000);
    expect(memory.reserve(1)[0]!.buffer).toBe(first!.buffer);
  });

  it("says which tensor is gone", () => {
    const values = arange(0, 10);
    const named: [string, Tensor][] = [["x", values]];
    values.dispose();
    expect(() => new SnapshotMemory().take([{ name: "x", tensors: named }])).toThrow(/was freed/);
  });
});
