import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { describeMismatch, requireComplete } from "./state-mismatch.js";

const fits = { missing: [], unexpected: [], misshaped: [] };
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/state-keys.json", import.meta.url), "utf8"),
) as { huggingface: { group: Record<string, string[]> } };
const ctc = golden.huggingface.group.Wav2Vec2ForCTC!;
const ofLayers = (...numbers: number[]) =>
  numbers.flatMap((number) =>
    ctc
      .filter((key) => key.startsWith("wav2vec2.encoder.layers.1."))
      .map((key) => key.replace("layers.1.", `layers.${number}.`)),
  );

describe("requireComplete", () => {
  it("lets pass what the model has no place for, with a note", () => {
    expect(requireComplete("m", { ...fits, unexpected: ["a", "b"] })).toBe(
      "m holds tensors that the network has no place for, left out: a, b.",
    );
    expect(() => requireComplete("m", { ...fits, missing: ["c"], unexpected: ["a"] })).toThrow("missing: c");
  });

  it("lets pass what fits and refuses what does not", () => {
    expect(() => requireComplete("model", fits)).not.toThrow();
    expect(describeMismatch("model", fits)).toBeUndefined();
    const mismatch = { ...fits, missing: ["wav2vec2.masked_spec_embed"] };
    expect(() => requireComplete("runs/a", mismatch)).toThrow(UserError);
    expect(() => requireComplete("runs/a", mismatch)).toThrow(
      "runs/a must hold the weights that config.json describes, but does not:\n  missing: wav2vec2.masked_spec_embed",
    );
  });

  it("names the nearest key of the other side, where there is one", () => {
    const message = describeMismatch("m", {
      missing: ["wav2vec2.encoder.layers.0.layer_norm.bias", "lm_head.weight"],
      unexpected: ["wav2vec2.encoder.layer.0.layer_norm.bias", "step"],
      misshaped: [{ name: "lm_head.bias", expected: [32], found: [] }],
    });
    expect(message?.split("\n").slice(1, 6)).toEqual([
      "  missing: wav2vec2.encoder.layers.0.layer_norm.bias (nearest: wav2vec2.encoder.layer.0.layer_norm.bias)",
      "  missing: lm_head.weight",
      "  unexpected: wav2vec2.encoder.layer.0.layer_norm.bias (nearest: wav2vec2.encoder.layers.0.layer_norm.bias)",
      "  unexpected: step",
      "  mis-shaped: lm_head.bias must be [32], but is []",
    ]);
  });

  it("never names a key as the nearest to itself", () => {
    const key = "wav2vec2.encoder.layers.0.layer_norm.bias";
    const other = "wav2vec2.encoder.layers.0.layer_norm.biass";
    expect(describeMismatch("m", { ...fits, missing: [key], unexpected: [key] })).not.toContain("nearest");
    expect(describeMismatch("m", { ...fits, missing: [key], unexpected: [key, other] })).toContain(
      `missing: ${key} (nearest: ${other})`,
    );
  });

  it("cuts long lists and counts the rest", () => {
    const names = Array.from({ length: 431 }, (_, i) => `key ${i}`);
    const lines = describeMismatch("m", { ...fits, unexpected: names })!.split("\n");
    expect(lines).toHaveLength(22);
    expect(lines.slice(20)).toEqual(["  unexpected: key 19", "  and 411 more unexpected"]);
  });
});

describe("the likely cause", () => {
  const last = (mismatch: Parameters<typeof describeMismatch>[1]) =>
    describeMismatch("m", mismatch)!.split("\n").at(-1)!;

  it("is another kind of model where no part of the network is there", () => {
    expect(last({ ...fits, missing: ctc, unexpected: ["bert.pooler.weight"] })).toBe(
      "The file holds no wav2vec 2.0 network. Name the directory of one.",
    );
  });

  it("is a vocabulary of another size where the head alone differs", () => {
    const misshaped = [
      { name: "lm_head.weight", expected: [32, 768], found: [44, 768] },
      { name: "lm_head.bias", expected: [32], found: [44] },
    ];
    expect(last({ ...fits, misshaped })).toMatch(
      /^The file's CTC head is for a vocabulary of 44 tokens, not 32\./,
    );
  });

  it("is a network of another width where the head differs too", () => {
    const misshaped = [
      { name: "lm_head.weight", expected: [32, 768], found: [32, 1024] },
      { name: "wav2vec2.encoder.layer_norm.weight", expected: [768], found: [1024] },
    ];
    expect(last({ ...fits, misshaped })).toMatch(/^The file's network is 1024 wide, not hidden_size 768\./);
  });

  it("is the number of layers where whole layers at the end are all that differs", () => {
    expect(last({ ...fits, missing: ofLayers(12, 13, 14) })).toBe(
      "Layers 12 to 14 are missing. Set num_hidden_layers in config.json to 12, if the model has no more.",
    );
    expect(last({ ...fits, unexpected: ofLayers(12) })).toBe(
      "Layer 12 is beyond num_hidden_layers in config.json. Set it to 13 to use the whole network.",
    );
    expect(last({ ...fits, missing: ofLayers(12, 14) })).toMatch("more missing");
    expect(last({ ...fits, missing: ofLayers(12).slice(1) })).toMatch(/^ {2}missing/);
    expect(last({ ...fits, missing: [...ofLayers(1, 3), "lm_head.bias"] })).toMatch("more missing");
  });

  it("is the wrong kind of checkpoint where only heads are missing", () => {
    expect(last({ ...fits, missing: ["lm_head.weight", "lm_head.bias"] })).toMatch(
      /^The file has no CTC head/,
    );
    expect(last({ ...fits, missing: ["quantizer.codevectors", "project_q.bias"] })).toMatch(
      /^The file has no heads for pre-training/,
    );
    expect(last({ ...fits, missing: ["lm_head.bias"], unexpected: ["lm_head.biass"] })).toMatch("unexpected");
  });
});
