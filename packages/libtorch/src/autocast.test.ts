import { describe, expect, it } from "vitest";
import { autocast, supportsAutocast } from "./autocast.js";
import { conv1d, linear, ones } from "./operators/operators.generated.js";
import { libtorchInfo } from "./runtime.js";
import { tensor } from "./tensors/tensor.js";

const a = ones([2, 2]);
const product = () => a.mm(a).dtype;

describe("autocast", () => {
  it("computes matrix products and convolutions in bfloat16, inside only", () => {
    expect(product()).toBe("float32");
    autocast({}, () => {
      expect(product()).toBe("bfloat16");
      expect(linear(a, a).dtype).toBe("bfloat16");
      expect(conv1d(ones([1, 2, 3]), ones([2, 2, 1])).dtype).toBe("bfloat16");
      expect(a.add(a).dtype).toBe("float32");
    });
    expect(product()).toBe("float32");
  });

  it("leaves float64 as it is", () => {
    const double = ones([2, 2], { dtype: "float64" });
    expect(autocast({}, () => [double.mm(double).dtype, linear(double, double).dtype])).toEqual([
      "float64",
      "float64",
    ]);
    const signal = ones([1, 2, 3], { dtype: "float64" });
    expect(autocast({}, () => conv1d(signal, signal).dtype)).toBe("float64");
  });

  it("nests, and can be switched off inside", () => {
    autocast({}, () => {
      autocast({ enabled: false }, () => expect(product()).toBe("float32"));
      expect(product()).toBe("bfloat16");
      autocast({ dtype: "bfloat16" }, () => expect(product()).toBe("bfloat16"));
      expect(product()).toBe("bfloat16");
    });
    expect(product()).toBe("float32");
  });

  it("ends with an exception", () => {
    expect(() =>
      autocast({}, () => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(product()).toBe("float32");
  });

  it("gives parameters float32 gradients", () => {
    const weight = tensor([1, 2, 3, 4], [2, 2], { requiresGrad: true });
    const y = autocast({}, () => linear(ones([1, 2]), weight));
    y.to({ dtype: "float32" }).sum().backward();
    expect([weight.grad?.dtype, weight.grad?.toArray()]).toEqual(["float32", [1, 1, 1, 1]]);
  });

  it("refuses devices and dtypes that there are not", () => {
    expect(() => autocast({ device: "nonsense" }, () => 1)).toThrow(/device/i);
    expect(() => autocast({ dtype: "float8" as "float16" }, () => 1)).toThrow(
      /must be 'bfloat16' or 'float16', but is 'float8'/,
    );
    expect(product()).toBe("float32");
  });

  it("computes in float16, or says that this libtorch does not", () => {
    const old = libtorchInfo().version.startsWith("1.");
    expect(supportsAutocast("bfloat16")).toBe(true);
    expect(supportsAutocast("float16")).toBe(!old);
    if (old) {
      expect(() => autocast({ dtype: "float16" }, product)).toThrow(
        /^autocast: libtorch 1\.13\.\d must compute in float16 on cpu, but does not\. Use another dtype or none/,
      );
    } else {
      expect(autocast({ dtype: "float16" }, product)).toBe("float16");
    }
    expect(product()).toBe("float32");
  });

  it("has no other dtypes", () => {
    for (const dtype of ["float32", "float64", "int64"] as const) {
      expect(supportsAutocast(dtype)).toBe(false);
      expect(() => autocast({ dtype }, product)).toThrow(/must be 'bfloat16' or 'float16'/);
    }
    expect(supportsAutocast("float16", "nonsense")).toBe(false);
  });
});
