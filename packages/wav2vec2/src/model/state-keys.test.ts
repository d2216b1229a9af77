import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { adapterFileName } from "../files/hub/model-files.js";
import { adapterKeys, type ModelClass, stateKeys } from "./state-keys.js";

type Lists = Record<string, string[]>;

// By reference/state_keys.py. Hugging Face's names are this project's; its tests of the model load them.
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/state-keys.json", import.meta.url), "utf8"),
) as {
  huggingface: { group: Lists; layer: Lists };
  adapter: string[];
  fairseq: Record<"group" | "layer", { pretrained: string[]; finetuned: string[] }>;
};
const NORMS = ["group", "layer"] as const;
const CLASSES: ModelClass[] = [
  "Wav2Vec2Model",
  "Wav2Vec2ForPreTraining",
  "Wav2Vec2ForCTC",
  "Wav2Vec2ForSequenceClassification",
  "Wav2Vec2ForAudioFrameClassification",
  "Wav2Vec2ForXVector",
];

/** The old spelling of a normalised weight. */
const old = (keys: string[]) =>
  keys.map((key) =>
    key
      .replace("parametrizations.weight.original0", "weight_g")
      .replace("parametrizations.weight.original1", "weight_v"),
  );

const network = (keys: string[]) => keys.filter((key) => key.startsWith("wav2vec2."));
const heads = (keys: string[]) => keys.filter((key) => !key.startsWith("wav2vec2."));
/** Of the classes with a head, which share some names. */
const shared = (keys: string[], others: string[]) =>
  keys.filter((key) => key.startsWith("wav2vec2.") || others.includes(key));

function renamed(fileKeys: string[], target: ModelClass): string[] {
  const keys = stateKeys(fileKeys, target);
  expect(keys.unknown).toEqual([]);
  return fileKeys.flatMap((key) => keys.rename(key) ?? []).sort();
}

describe("Hugging Face's keys", () => {
  const pairs = NORMS.flatMap((norm) =>
    CLASSES.flatMap((from) => CLASSES.map((target) => ({ norm, from, target }))),
  );
  it.each(pairs)("of $from read as $target, $norm norm", ({ norm, from, target }) => {
    const { [from]: file, [target]: own } = golden.huggingface[norm] as Record<ModelClass, string[]>;
    const common = target === "Wav2Vec2Model" ? own : shared(own, from === "Wav2Vec2Model" ? [] : file);
    for (const spelling of [file, old(file)]) {
      expect(renamed(spelling, target)).toEqual(common);
      const keys = stateKeys(spelling, target);
      expect(keys.naming).toBe("Hugging Face");
      const left = from === "Wav2Vec2Model" ? [] : heads(file).filter((key) => !own.includes(key));
      expect(keys.leftOut).toEqual(left);
    }
  });

  it("of adapters read as they are, and with the prefix that a bare model lacks", () => {
    const own = golden.huggingface.layer.adapted!;
    expect(renamed(own, "Wav2Vec2ForCTC")).toEqual(own);
    const bare = network(own).map((key) => key.slice("wav2vec2.".length));
    expect(renamed(bare, "Wav2Vec2ForCTC")).toEqual(network(own));
  });
});

describe("fairseq's keys", () => {
  it.each(NORMS)("of a pre-trained model, %s norm", (norm) => {
    const { pretrained } = golden.fairseq[norm];
    for (const target of CLASSES) {
      const own = golden.huggingface[norm][target]!;
      const whole = target === "Wav2Vec2ForPreTraining" || target === "Wav2Vec2Model";
      expect(renamed(pretrained, target)).toEqual(whole ? own : network(own));
      expect(stateKeys(pretrained, target).naming).toBe("fairseq");
    }
    expect(stateKeys(pretrained, "Wav2Vec2ForCTC").leftOut).toEqual([
      "quantizer.vars",
      "quantizer.weight_proj.weight",
      "quantizer.weight_proj.bias",
      "project_q.weight",
      "project_q.bias",
      "final_proj.weight",
      "final_proj.bias",
    ]);
  });

  it.each(NORMS)("of a model fine-tuned with CTC, %s norm", (norm) => {
    const { finetuned } = golden.fairseq[norm];
    for (const target of CLASSES) {
      const own = golden.huggingface[norm][target]!;
      const whole = target === "Wav2Vec2ForCTC" || target === "Wav2Vec2Model";
      expect(renamed(finetuned, target)).toEqual(whole ? own : network(own));
    }
    expect(stateKeys(finetuned, "Wav2Vec2Model").leftOut).toEqual([
      "w2v_encoder.proj.weight",
      "w2v_encoder.proj.bias",
    ]);
  });

  it("are not taken for Hugging Face's of the same name", () => {
    const { rename } = stateKeys(golden.fairseq.group.pretrained, "Wav2Vec2Model");
    expect(rename("layer_norm.weight")).toBe("feature_projection.layer_norm.weight");
    expect(rename("encoder.layer_norm.weight")).toBe("encoder.layer_norm.weight");
    expect(rename("encoder.layers.1.self_attn_layer_norm.bias")).toBe("encoder.layers.1.layer_norm.bias");
  });
});

describe("keys that fit nowhere", () => {
  it("are listed as unknown and keep their names", () => {
    const own = golden.huggingface.group.Wav2Vec2Model!;
    const keys = stateKeys([...own, "pooler.weight", "layer_norm.weight"], "Wav2Vec2ForCTC");
    expect(keys.unknown).toEqual(["pooler.weight", "layer_norm.weight"]);
    expect(keys.rename("pooler.weight")).toBe("pooler.weight");
    expect(keys.rename("never seen")).toBe("never seen");
    expect(stateKeys([], "Wav2Vec2ForCTC").unknown).toEqual([]);
  });

  it("refuses two spellings of one parameter", () => {
    const prefix = "encoder.pos_conv_embed.conv";
    const both = [`${prefix}.weight_g`, `wav2vec2.${prefix}.parametrizations.weight.original0`];
    expect(() => stateKeys(both, "Wav2Vec2ForCTC")).toThrow(UserError);
    expect(() => stateKeys(both, "Wav2Vec2ForCTC")).toThrow(`${both[0]} and ${both[1]} are both ${both[1]}`);
  });
});

describe("keys of other tools and years", () => {
  const bare = golden.huggingface.group.Wav2Vec2Model!;
  const ctc = golden.huggingface.group.Wav2Vec2ForCTC!;

  it.each([
    "module.",
    "model.",
    "_orig_mod.",
    "module._orig_mod.",
    "encoder.wav2vec2.model.",
    "wav2vec2.model.",
    "hubert.",
  ])("are found behind %s", (place) => {
    expect(
      renamed(
        bare.map((key) => place + key),
        "Wav2Vec2Model",
      ),
    ).toEqual([...bare].sort());
    if (place !== "hubert.")
      expect(
        renamed(
          ctc.map((key) => place + key),
          "Wav2Vec2ForCTC",
        ),
      ).toEqual([...ctc].sort());
    const { finetuned } = golden.fairseq.layer;
    expect(
      renamed(
        finetuned.map((key) => place + key),
        "Wav2Vec2ForCTC",
      ),
    ).toEqual(golden.huggingface.layer.Wav2Vec2ForCTC);
  });

  it("are found where layers were wrapped one by one, and beside a head", () => {
    const wrapped = bare.map((key) =>
      key.replace(/layers\.(\d+)\./, "layers.$1._checkpoint_wrapped_module._fsdp_wrapped_module."),
    );
    expect(renamed(wrapped, "Wav2Vec2Model")).toEqual([...bare].sort());
    const beside = [...bare.map((key) => `backbone.${key}`), "lm_head.weight", "lm_head.bias"];
    expect(renamed(beside, "Wav2Vec2ForCTC")).toEqual([...ctc].sort());
  });

  it("of a second network are unknown", () => {
    const keys = stateKeys([...ctc, ...ctc.map((key) => `teacher.${key}`)], "Wav2Vec2ForCTC");
    expect(keys.unknown).toEqual(ctc.map((key) => `teacher.${key}`));
  });

  it("stand for the later names, unless these are there too", () => {
    const early = bare.map((key) =>
      key
        .replace("masked_spec_embed", "mask_time_emb_vector")
        .replace(/(layer_norm)\.weight$/, "$1.gamma")
        .replace(/(layer_norm)\.bias$/, "$1.beta"),
    );
    expect(early).toContain("encoder.layer_norm.gamma");
    expect(renamed(early, "Wav2Vec2Model")).toEqual([...bare].sort());
    const both = stateKeys([...ctc, "wav2vec2.mask_time_emb_vector"], "Wav2Vec2ForCTC");
    expect(both.unknown).toEqual(["wav2vec2.mask_time_emb_vector"]);
  });
});

describe("an adapter file", () => {
  it("holds what Hugging Face's does", () => {
    expect(adapterKeys(golden.huggingface.layer.adapted!).sort()).toEqual(golden.adapter);
    expect(adapterFileName("spa")).toBe("adapter.spa.safetensors");
  });
});
