import { describe, expect, it } from "vitest";
import { PRESETS } from "../model/presets.js";
import { choosePrecision } from "./choose-precision.js";
import { inPrecision } from "./in-precision.js";
import type { WantedPrecision } from "./precision-names.js";
import type { NetworkWidth } from "./speed-of.js";

const { base } = PRESETS;
const choose = (wanted: WantedPrecision, speed: number, network: NetworkWidth | undefined = base) =>
  choosePrecision(wanted, { network, device: "cpu", use: "training", measure: () => speed });

describe("precision auto", () => {
  it.each([
    [0.04, "float32", "0.04"],
    [0.6, "float32", "0.6"],
    [1.149, "float32", "only 1.1"],
    [1.151, "bfloat16", "1.2"],
    [2.04, "bfloat16", "2"],
  ])("at %s times the speed is %s, and says why", async (speed, precision, times) => {
    expect(await choose("auto", speed)).toEqual({
      precision,
      line: `precision: ${precision} (auto: bfloat16 is ${times} times as fast on this processor)`,
    });
  });

  it("is float32 for small networks on every machine, without measuring", async () => {
    const measure = () => expect.unreachable();
    const of = (network: NetworkWidth | undefined) =>
      choosePrecision("auto", { network, device: "cpu", use: "inference", measure });
    const quiet = { precision: "float32", line: undefined };
    expect(await of({ ...base, hiddenSize: 255 })).toEqual(quiet);
    expect(await of(undefined)).toEqual(quiet);
    expect(await choose("auto", 3, { ...base, hiddenSize: 256 })).toMatchObject({ precision: "bfloat16" });
  });
});

describe("a precision by its name", () => {
  it("is taken, with a line where bfloat16 is slower", async () => {
    expect(await choose("float32", 3)).toEqual({ precision: "float32", line: undefined });
    expect(await choose("bfloat16", 1)).toEqual({ precision: "bfloat16", line: undefined });
    expect(await choose("bfloat16", 0.5)).toEqual({
      precision: "bfloat16",
      line: "precision: bfloat16 is 0.5 times as fast as float32 on this processor; auto takes the faster one.",
    });
  });

  it("is that of a model which is to recognise in it", async () => {
    const loaded = { model: { config: base } };
    const notes: string[] = [];
    const options = { device: "cpu" as const, onNote: (text: string) => notes.push(text) };
    expect(await inPrecision(loaded, undefined, options)).toBe(loaded);
    const slow = { ...options, measure: () => 0.5 };
    expect(await inPrecision(loaded, "bfloat16", slow)).toEqual({ ...loaded, precision: "bfloat16" });
    expect(await inPrecision(loaded, "auto", slow)).toEqual({ ...loaded, precision: "float32" });
    expect(notes.map((note) => note.slice(0, 20))).toEqual(["precision: bfloat16 ", "precision: float32 ("]);
  });
});
