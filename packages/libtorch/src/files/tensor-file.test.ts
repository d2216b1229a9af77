import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { init, Linear, Module, parameter, WeightNorm } from "../nn/index.js";
import { arange, zeros } from "../operators/operators.generated.js";
import { manualSeed } from "../runtime.js";
import { scope } from "../tensors/handles.js";
import { type Dtype, type Tensor, tensor } from "../tensors/tensor.js";
import { openTensors } from "./open-tensors.js";
import { loadState, loadTensors, saveTensors } from "./tensor-file.js";
import { TensorFileError } from "./tensor-source.js";

// Made by reference/pytorch_files.py.
const FILES = fileURLToPath(new URL("../../test/pytorch-files/", import.meta.url));

let directory: string;
let files = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tensor-file-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function saved(tensors: Record<string, Tensor>): Promise<string> {
  const path = join(directory, `${files++}.safetensors`);
  await saveTensors(path, Object.entries(tensors));
  return path;
}

class Model extends Module {
  first: Linear;
  second: Linear;
  norm: WeightNorm;

  constructor(width = 3) {
    super();
    this.first = new Linear(2, width);
    this.second = new Linear(width, 2, { bias: false });
    this.norm = new WeightNorm(init.normal([2, 3, 4], 1), 2);
  }
}

const values = (module: Module): Record<string, number[]> =>
  Object.fromEntries(Array.from(module.namedParameters(), ([name, tensor]) => [name, tensor.toArray()]));

/** As a file of its parameters, each counted up from a number of its own. */
function counted(module: Module): Record<string, Tensor> {
  return Object.fromEntries(
    Array.from(module.namedParameters(), ([name, { shape, numel }], i) => [
      name,
      arange(0, numel)
        .add(100 * i)
        .to({ dtype: "float32" })
        .reshape(shape),
    ]),
  );
}

describe("loadTensors", () => {
  it.each<Dtype>(["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"])(
    "%s comes back as it was saved",
    async (dtype) => {
      const original = tensor([1, 0, 1, 1, 0, 1], [3, 2]).to({ dtype });
      const path = await saved({
        x: original,
        empty: zeros([0, 3], { dtype }),
        scalar: original.sum().to({ dtype }),
      });
      const { tensors } = await loadTensors(path);
      for (const [name, shape] of Object.entries({ x: [3, 2], empty: [0, 3], scalar: [] })) {
        expect(tensors.get(name)!.dtype).toBe(dtype);
        expect(tensors.get(name)!.shape).toEqual(shape);
      }
      expect(tensors.get("x")!.toArray()).toEqual(original.toArray());
    },
  );

  it("more than one thread's piece arrives whole", async () => {
    const original = arange(0, 3_000_001).to({ dtype: "float32" });
    const { tensors } = await loadTensors(await saved({ little: tensor([1, 2, 3]), original }));
    expect(tensors.get("original")!.equal(original)).toBe(true);
  });

  it("names the tensor of a type that there is no tensor of", async () => {
    const path = await saved({ x: tensor([1]) });
    const bytes = await readFile(path, "latin1");
    await writeFile(path, bytes.replace('"F32"', '"U32"'), "latin1");
    await expect(loadTensors(path)).rejects.toThrow(/Tensor "x" of .* must be of type F32.*, but is U32/);
  });
});

describe("loadState", () => {
  it.each(["model.safetensors.index.json", "pytorch_model.bin.index.json"])("reads %s", async (file) => {
    const model = new (class extends Module {
      first = new Linear(2, 2);
      second = new Linear(2, 3, { bias: false });
    })();
    const mismatch = await loadState(model, join(FILES, file));
    expect(mismatch).toEqual({ missing: [], unexpected: [], misshaped: [] });
    expect(values(model)).toEqual({
      "first.weight": [0, 1, 2, 3],
      "first.bias": [0, 1],
      "second.weight": [10, 11, 12, 13, 14, 15],
    });
  });

  it("converts dtypes, and fills parameters that are not contiguous and views of others", async () => {
    const path = await saved({
      half: tensor([1, 2, 3, 4], [2, 2]).to({ dtype: "bfloat16" }),
      turned: tensor([1, 2, 3, 4, 5, 6], [3, 2]),
    });
    const whole = zeros([4, 2]);
    const model = new (class extends Module {
      half = parameter(whole.narrow(0, 1, 2));
      turned = parameter(zeros([2, 3]).transpose(0, 1));
    })();
    noGrad(() => model.half.zero_());
    await loadState(model, path);
    expect(whole.toArray()).toEqual([0, 0, 1, 2, 3, 4, 0, 0]);
    expect(model.turned.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
    expect([model.half.dtype, model.turned.isContiguous]).toEqual(["float32", false]);
  });

  it("tells names that do not fit and leaves those parameters alone", async () => {
    const model = new Model();
    const before = values(model);
    const { "first.bias": bias, "first.weight": weight } = counted(model);
    const path = await saved({
      "old.bias": bias!,
      "first.weight": weight!.transpose(0, 1),
      other: bias!,
      left: bias!,
    });
    const mismatch = await loadState(model, path, {
      rename: (key) => (key === "left" ? undefined : key.replace("old", "first")),
    });
    expect(mismatch).toEqual({
      missing: ["second.weight", "norm.original0", "norm.original1"],
      unexpected: ["other"],
      misshaped: [{ name: "first.weight", expected: [3, 2], found: [2, 3] }],
    });
    expect(values(model)).toEqual({ ...before, "first.bias": [0, 1, 2].map((i) => i + bias!.toArray()[0]!) });
  });

  it("refuses two tensors for one parameter", async () => {
    const path = await saved({ "first.bias": zeros([3]), "old.bias": zeros([3]) });
    const rename = (key: string) => key.replace("old", "first");
    await expect(loadState(new Model(), path, { rename })).rejects.toThrow(
      /must hold parameter first\.bias once, but holds "(first|old)\.bias" and "(first|old)\.bias"/,
    );
  });

  it("takes a source and leaves it open", async () => {
    const model = new Model();
    const source = await openTensors(await saved(counted(model)));
    await loadState(model, source);
    await loadState(model, source);
    expect((await loadTensors(source)).tensors.size).toBe(5);
    await source.close();
  });

  it("is a change in place: parameters stay trainable leaves, older graphs do not run backward", async () => {
    const model = new Model();
    const path = await saved(counted(model));
    const x = tensor([1, 2], [1, 2], { requiresGrad: true });
    const stale = model.first.forward(x).sum();
    await loadState(model, path);
    expect(() => stale.backward()).toThrow(/modified by an inplace operation/);
    expect(model.parameters().every(({ requiresGrad }) => requiresGrad)).toBe(true);
    model.first.forward(x).sum().backward();
    expect(model.first.bias!.grad!.toArray()).toEqual([1, 1, 1]);
  });

  it("says when the file is cut while it is open", async () => {
    const model = new Model();
    const path = await saved(counted(model));
    const source = await openTensors(path);
    await truncate(path, (await readFile(path)).byteLength - 1);
    const error = await loadState(model, source).catch((caught: unknown) => caught);
    await source.close();
    expect(error).toBeInstanceOf(TensorFileError);
    expect((error as Error).message).toMatch(
      /must be readable, but is not: the file was cut while it was open/,
    );
  });

  it("changes nothing where a tensor's type is wrong", async () => {
    const model = new Model();
    const before = values(model);
    const path = await saved(counted(model));
    const bytes = await readFile(path, "latin1");
    const last = bytes.lastIndexOf('"F32"');
    await writeFile(path, `${bytes.slice(0, last)}"U32"${bytes.slice(last + 5)}`, "latin1");
    await expect(loadState(model, path)).rejects.toThrow(/must be of type/);
    expect(values(model)).toEqual(before);
  });
});

describe("a deferred module", () => {
  it("has the file's values, and first values where the file has none or others in shape", async () => {
    const eager = new Model();
    const tensors = counted(eager);
    const path = await saved({ ...tensors, "second.weight": zeros([5]) });
    const model = init.deferred(() => new Model());
    noGrad(() => model.second.weight.fill_(77));
    const { misshaped } = await loadState(model, path);
    expect(misshaped.map(({ name }) => name)).toEqual(["second.weight"]);
    const bound = 1 / Math.sqrt(3);
    for (const value of model.second.weight.toArray()) expect(Math.abs(value)).toBeLessThanOrEqual(bound);
    for (const name of ["first.weight", "first.bias", "norm.original0", "norm.original1"]) {
      expect(values(model)[name]).toEqual(tensors[name]!.toArray());
    }
  });

  it.each([
    ["no tensor fits", async (model: Model) => loadState(model, await saved({ x: zeros([1]) }))],
    [
      "the file is not there",
      async (model: Model) => loadState(model, join(directory, "none")).catch(() => {}),
    ],
    [
      "the file is cut before its first tensor",
      async (model: Model) => {
        const path = await saved(counted(model));
        const source = await openTensors(path);
        await truncate(path, 100);
        await loadState(model, source).catch(() => {});
        await source.close();
      },
    ],
  ])("has first values everywhere where %s", async (_, load) => {
    const model = init.deferred(() => new Model(300));
    for (const tensor of model.parameters()) noGrad(() => tensor.fill_(77));
    await load(model);
    for (const [name, tensor] of model.namedParameters()) {
      const numbers = tensor.toArray();
      expect(numbers.includes(77), name).toBe(false);
      if (name !== "norm.original0") expect(Math.max(...numbers.map(Math.abs)), name).toBeLessThan(6);
    }
    // g = |v|: the weight is reproduced.
    const { norm } = model;
    const expected = norm.original1.norm(2, [0, 1], true);
    expect(norm.original0.toArray()).toEqual(expected.toArray());
  });

  it("has the magnitudes of loaded directions where the file has only these", async () => {
    const model = init.deferred(() => new Model());
    await loadState(
      model,
      await saved({ "norm.original1": tensor([3, 4], [2, 1, 1]).expand([2, 3, 4]).contiguous() }),
    );
    const magnitude = Math.fround(Math.sqrt(3 * 25));
    for (const value of model.norm.original0.toArray()) expect(value).toBeCloseTo(magnitude, 5);
  });

  it("survives scopes, moves to another type, and is trainable", async () => {
    const model = scope(() => init.deferred(() => [new Model()][0]!));
    model.to({ dtype: "bfloat16" });
    await copyFile(join(FILES, "state.bin"), join(directory, "state.bin"));
    const { missing } = await loadState(model, join(directory, "state.bin"));
    expect(missing).toHaveLength(5);
    for (const tensor of model.parameters()) {
      expect([tensor.dtype, tensor.requiresGrad]).toEqual(["bfloat16", true]);
      expect(tensor.isfinite().all().item()).toBeTruthy();
    }
  });

  it("draws the same numbers from a seed each time", async () => {
    const path = await saved({ x: zeros([1]) });
    const draw = async () => {
      const model = init.deferred(() => new Model());
      manualSeed(3);
      await loadState(model, path);
      return values(model);
    };
    expect(await draw()).toEqual(await draw());
  });
});

describe("saveTensors", () => {
  it("says what to give in place of a module or an object, as torch.save takes them", async () => {
    const path = join(directory, "never.safetensors");
    await expect(saveTensors(path, new Model() as never)).rejects.toThrow("is a Model. Give its stateDict()");
    const object = { x: zeros([1]) } as never;
    await expect(saveTensors(path, object)).rejects.toThrow("is an object. Give Object.entries(…) of it");
  });
});
