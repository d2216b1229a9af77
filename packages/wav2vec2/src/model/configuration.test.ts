import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stateName } from "@wav2vec2/libtorch/state-name";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigurationError } from "../errors.js";
import {
  createConfig,
  DEFAULT_CONFIG,
  featureFrames,
  validateConfig,
  type Wav2Vec2Config,
} from "./configuration.js";
import {
  CONFIG_KEYS,
  configFromHuggingFace,
  configToHuggingFace,
  configWithKeys,
  readConfig,
  writeConfig,
} from "./configuration-file.js";

const GOLDEN = fileURLToPath(new URL("../../test/golden/huggingface-default-config.json", import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "configuration-"));
});
afterAll(() => rm(directory, { recursive: true }));

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
};

describe("names", () => {
  it.each([
    ["hiddenSize", "hidden_size"],
    ["layerdrop", "layerdrop"],
    ["numConvPosEmbeddingGroups", "num_conv_pos_embedding_groups"],
    ["encoder.layers.0.attention.kProj.weight", "encoder.layers.0.attention.k_proj.weight"],
    ["wav2vec2.maskedSpecEmbed", "wav2vec2.masked_spec_embed"],
    [
      "posConvEmbed.conv.parametrizations.weight.original0",
      "pos_conv_embed.conv.parametrizations.weight.original0",
    ],
    ["adapterLayer.linear_1", "adapter_layer.linear_1"],
  ])("%s is %s, and back", (camel, snake) => {
    expect(stateName(camel)).toBe(snake);
  });
});

describe("Hugging Face's configuration", () => {
  it("has our defaults, field by field", async () => {
    const golden: Record<string, unknown> = JSON.parse(await readFile(GOLDEN, "utf8"));
    const ours = configToHuggingFace(DEFAULT_CONFIG, ["Wav2Vec2ForCTC"]);
    for (const key of Object.keys(ours)) expect([key, ours[key]]).toEqual([key, golden[key]]);
    expect(Object.keys(ours)).toEqual(
      expect.arrayContaining([...CONFIG_KEYS.filter((key) => key in golden), "model_type", "architectures"]),
    );
  });

  it("holds this project's own keys only where they say something", () => {
    const own = ["reference_padding", "feature_grad_mult", "feature_penalty_weight"];
    expect(Object.keys(configToHuggingFace(DEFAULT_CONFIG, []))).not.toEqual(
      expect.arrayContaining([own[0]]),
    );
    const fairseq = createConfig({ featureGradMult: 0.1, featurePenaltyWeight: 10, referencePadding: true });
    const json = configToHuggingFace(fairseq, []);
    expect(own.map((key) => json[key])).toEqual([true, 0.1, 10]);
    expect(configFromHuggingFace(json, "x")).toEqual(fairseq);
  });

  it("is what comes back when it was read, unknown keys with it", async () => {
    const golden = JSON.parse(await readFile(GOLDEN, "utf8"));
    const read = configFromHuggingFace(golden, "golden");
    expect(read).toEqual({
      ...DEFAULT_CONFIG,
      extra: expect.objectContaining({ transformers_version: golden.transformers_version }),
    });
    expect(configToHuggingFace(read, ["Wav2Vec2ForCTC"])).toEqual(golden);
  });

  it("says nothing of the weights' number format, which is not known when it is read", () => {
    const read = configFromHuggingFace(
      { model_type: "wav2vec2", torch_dtype: "float16", dtype: "float16" },
      "x",
    );
    expect(configToHuggingFace(read, [])).not.toHaveProperty("torch_dtype");
    expect(configToHuggingFace(read, [])).not.toHaveProperty("dtype");
  });

  it("gives its defaults to keys that a file leaves out", () => {
    const config = configFromHuggingFace(
      { model_type: "wav2vec2", hidden_size: 24, num_attention_heads: 2, num_conv_pos_embedding_groups: 2 },
      "x",
    );
    expect(config).toEqual({
      ...DEFAULT_CONFIG,
      hiddenSize: 24,
      outputHiddenSize: 24,
      numAttentionHeads: 2,
      numConvPosEmbeddingGroups: 2,
    });
    const wide = {
      model_type: "wav2vec2",
      hidden_size: 1024,
      num_attention_heads: 16,
      output_hidden_size: null,
    };
    expect(configFromHuggingFace(wide, "x").outputHiddenSize).toBe(1024);
  });

  it("keeps keys with the names of prototypes as plain keys", () => {
    const json = JSON.parse('{"model_type":"wav2vec2","__proto__":{"hidden_size":1},"constructor":2}');
    const config = configFromHuggingFace(json, "x");
    expect(config.hiddenSize).toBe(768);
    expect(Object.entries(config.extra)).toEqual([
      ["__proto__", { hidden_size: 1 }],
      ["constructor", 2],
    ]);
    expect(JSON.stringify(configToHuggingFace(config, []))).toContain('"__proto__":{"hidden_size":1}');
  });

  it("of a network under another name has that one's defaults and keeps its name", () => {
    const data2vec = configFromHuggingFace({ model_type: "data2vec-audio", conv_pos_kernel_size: 7 }, "c");
    expect(data2vec).toMatchObject({
      featExtractNorm: "layer",
      numConvPosEmbeddings: 5,
      convPosKernelSize: 7,
    });
    const hubert = configFromHuggingFace({ model_type: "hubert", feat_proj_layer_norm: false }, "c");
    expect(hubert).toMatchObject({ modelType: "hubert", featProjLayerNorm: false, convPosBatchNorm: false });
    expect(configToHuggingFace(hubert, ["Wav2Vec2ForCTC"])).toMatchObject({
      model_type: "hubert",
      architectures: ["HubertForCTC"],
      feat_proj_layer_norm: false,
    });
    expect(configFromHuggingFace(configToHuggingFace(data2vec, []), "c")).toEqual(data2vec);
  });

  it("names what a type cannot have", () => {
    expect(
      messageOf(() => configFromHuggingFace({ model_type: "wav2vec2", conv_pos_batch_norm: true }, "c")),
    ).toBe(
      'c: conv_pos_batch_norm must be false where model_type is "wav2vec2", but is true. That network has no other.',
    );
    expect(
      messageOf(() =>
        configFromHuggingFace({ model_type: "data2vec-audio", do_stable_layer_norm: true }, "c"),
      ),
    ).toMatch(/do_stable_layer_norm must be false where model_type is "data2vec-audio"/);
  });

  it("of another model is refused", () => {
    expect(messageOf(() => configFromHuggingFace({ model_type: "wavlm" }, "a/config.json"))).toBe(
      'a/config.json: model_type must be "wav2vec2", "hubert", "data2vec-audio", "unispeech" or "unispeech-sat", but is ' +
        '"wavlm", whose attention is biased by gated relative positions. Give the directory of a model whose network is ' +
        "wav2vec 2.0's.",
    );
    expect(messageOf(() => configFromHuggingFace({ model_type: "bert" }, "c"))).toMatch(
      /but is "bert"\. Give/,
    );
    expect(messageOf(() => configFromHuggingFace({}, "c"))).toMatch(/but is missing\. Give/);
    for (const json of [null, [], "text", 1, undefined]) {
      expect(messageOf(() => configFromHuggingFace(json, "c"))).toMatch(/^c must be an object, but is /);
    }
  });
});

describe("values that do not fit", () => {
  const cases: [overrides: Record<string, unknown>, message: string][] = [
    [{ hiddenSize: 768.5 }, "hidden_size must be a positive whole number, but is 768.5."],
    [{ numHiddenLayers: 0 }, "num_hidden_layers must be a positive whole number, but is 0."],
    [{ hiddenSize: "768" }, 'hidden_size must be a positive whole number, but is "768".'],
    [{ layerdrop: 1.1 }, "layerdrop must be a number from 0 to 1, but is 1.1."],
    [{ hiddenDropout: -0.1 }, "hidden_dropout must be a number from 0 to 1, but is -0.1."],
    [{ maskTimeProb: Number.NaN }, "mask_time_prob must be a number from 0 to 1, but is NaN."],
    [{ layerNormEps: 0 }, "layer_norm_eps must be a positive number, but is 0."],
    [{ featExtractNorm: "batch" }, 'feat_extract_norm must be "group" or "layer", but is "batch".'],
    [{ hiddenAct: "swish" }, 'hidden_act must be "gelu" or "gelu_new" or "relu" or "silu", but is "swish".'],
    [{ convBias: 1 }, "conv_bias must be true or false, but is 1."],
    [{ convDim: [] }, "conv_dim must be a list of positive whole numbers, but is []."],
    [{ convStride: [5, 0] }, "conv_stride must be a list of positive whole numbers, but is [5,0]."],
    [{ convKernel: 3 }, "conv_kernel must be a list of positive whole numbers, but is 3."],
    [{ ctcLossReduction: "none" }, 'ctc_loss_reduction must be "sum" or "mean", but is "none".'],
    [{ padTokenId: -1 }, "pad_token_id must be a whole number of at least 0 or null, but is -1."],
    [
      { eosTokenId: [] },
      "eos_token_id must be a whole number of at least 0, a list of them or null, but is [].",
    ],
    [{ vocabSize: undefined }, "vocab_size must be a positive whole number or null, but is missing."],
    [
      { hidenSize: 3 },
      "hidenSize must be a key of the model configuration, but is not. Did you mean hiddenSize?",
    ],
    [
      { mask_time_prob: 0.1 },
      "mask_time_prob must be a key of the model configuration, but is not. In code it is maskTimeProb.",
    ],
    [{ toString: 3 }, "toString must be a key of the model configuration, but is not."],
    [
      { numAttentionHeads: 7 },
      "hidden_size must be divisible by num_attention_heads, but 768 is not divisible by 7. Take 6, for example.",
    ],
    [
      { numConvPosEmbeddingGroups: 17 },
      "hidden_size must be divisible by num_conv_pos_embedding_groups, but 768 is not divisible by 17. Take 16, for example.",
    ],
    [
      { numCodevectorGroups: 3 },
      "codevector_dim must be divisible by num_codevector_groups, but 256 is not divisible by 3. Take 2, for example.",
    ],
    [
      { convDim: [512, 512], convStride: [5, 2, 2] },
      "conv_dim, conv_stride and conv_kernel must have equal lengths, but have 2, 3 and 7.",
    ],
    [{ padTokenId: 32 }, "pad_token_id must be below vocab_size, but is 32 of 32. It is the CTC blank."],
    [
      { numCodevectorGroups: 512 },
      "codevector_dim must be divisible by num_codevector_groups, but 256 is not divisible by 512. Take 256, for example.",
    ],
    [{ featureGradMult: -1 }, "feature_grad_mult must be a number of at least 0, but is -1."],
  ];

  it.each(cases)("%j", (overrides, message) => {
    expect(messageOf(() => createConfig(overrides as Partial<Wav2Vec2Config>))).toContain(message);
    expect(
      messageOf(() => validateConfig({ ...DEFAULT_CONFIG, ...overrides } as Wav2Vec2Config, "c")),
    ).toContain(message);
  });

  it("are named all at once, with their source", () => {
    const json = { model_type: "wav2vec2", hidden_size: -1, layerdrop: 2 };
    expect(messageOf(() => configFromHuggingFace(json, "m/config.json"))).toBe(
      "m/config.json: hidden_size must be a positive whole number, but is -1.\n" +
        "layerdrop must be a number from 0 to 1, but is 2.",
    );
  });
});

describe("createConfig", () => {
  it("leaves what it is given as it is", () => {
    const convDim = [8, 8, 8, 8, 8, 8, 8];
    createConfig({ convDim });
    expect(() => convDim.push(8)).not.toThrow();
  });

  it("follows the width with the output's, and freezes what it gives", () => {
    const config = createConfig({ hiddenSize: 192, numAttentionHeads: 4 });
    expect(config.outputHiddenSize).toBe(192);
    expect(createConfig({ hiddenSize: 96, numAttentionHeads: 4 }, config).outputHiddenSize).toBe(96);
    expect(() => {
      (config as { hiddenSize: number }).hiddenSize = 1;
    }).toThrow("loadModel(Model, directory, { config: { hiddenSize: 1 } })");
    expect(config.hiddenSize).toBe(192);
    expect(() => (config.convDim as number[]).push(1)).toThrow(TypeError);
  });
});

describe("configWithKeys", () => {
  it("changes only the keys given", () => {
    const base = createConfig({ layerdrop: 0 });
    expect(configWithKeys(base, { vocab_size: 14, conv_bias: true }, "recipe.yaml")).toEqual({
      ...base,
      vocabSize: 14,
      convBias: true,
    });
  });

  it("refuses keys that nothing reads", () => {
    expect(
      messageOf(() => configWithKeys(DEFAULT_CONFIG, { hidden_sise: 1, hiddenSize: 2 }, "recipe.yaml")),
    ).toMatch(
      /^recipe\.yaml: hidden_sise, hiddenSize must be keys of the model configuration, but are not\. .*hidden_size/,
    );
  });
});

describe("featureFrames", () => {
  it.each([
    [0, 0],
    [1, 0],
    [399, 0],
    [400, 1],
    [719, 1],
    [720, 2],
    [16_000, 49],
    [250_000, 781],
    [320_000, 999],
  ])("%i samples give %i frames", (samples, frames) => {
    expect(featureFrames(DEFAULT_CONFIG, samples)).toBe(frames);
  });

  it("counts the places of each kernel, for any kernels, strides and lengths", () => {
    const places = (samples: number, kernel: number, stride: number): number => {
      let count = 0;
      for (let start = 0; start + kernel <= samples; start += stride) count++;
      return count;
    };
    for (let samples = -3; samples < 60; samples++) {
      for (const [convKernel, convStride] of [
        [
          [3, 2],
          [2, 1],
        ],
        [
          [1, 5],
          [4, 1],
        ],
        [
          [2, 7, 1],
          [3, 2, 2],
        ],
      ] as const) {
        const expected = convKernel.reduce((n, kernel, i) => places(n, kernel, convStride[i]!), samples);
        expect(featureFrames({ convKernel, convStride }, samples)).toBe(expected);
      }
    }
  });
});

describe("config.json", () => {
  it("is written and read back without loss", async () => {
    const config = createConfig({
      vocabSize: 14,
      extra: { freeze_feat_extract_train: true, b: { c: [1, null] } },
    });
    await writeConfig(directory, config, ["Wav2Vec2ForCTC"]);
    expect(await readConfig(directory)).toEqual(config);
    const text = await readFile(join(directory, "config.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({
      architectures: ["Wav2Vec2ForCTC"],
      model_type: "wav2vec2",
      vocab_size: 14,
    });
    expect(await readdir(directory)).toEqual(["config.json"]);
  });

  it("has a decimal point where Hugging Face asks for one", async () => {
    const extra = { nested: { diversity_loss_weight: 1 }, list: [1] };
    const config = createConfig({
      diversityLossWeight: 0,
      contrastiveLogitsTemperature: 1,
      initializerRange: 10,
      extra,
    });
    await writeConfig(directory, config, []);
    const text = await readFile(join(directory, "config.json"), "utf8");
    expect(text).toContain('\n  "diversity_loss_weight": 0.0,\n');
    expect(text).toContain('\n  "contrastive_logits_temperature": 1.0,\n');
    expect(text).toContain('\n  "initializer_range": 10.0,\n');
    expect(text).toContain('\n    "diversity_loss_weight": 1\n');
    expect(text).toContain('\n  "hidden_dropout": 0.1,\n');
    expect(await readConfig(directory)).toEqual(config);
  });

  it("that is missing or broken is named", async () => {
    await expect(readConfig(join(directory, "none"))).rejects.toThrow(
      /none.config\.json must be a readable file, but does not exist\. Give a model directory\./,
    );
    const run = await mkdtemp(join(directory, "run-"));
    await writeConfig(await mkdtemp(join(run, "best")), DEFAULT_CONFIG, []); // of another name
    await expect(readConfig(run)).rejects.toThrow("Give a model directory.");
    await mkdir(join(run, "final"));
    await writeConfig(join(run, "final"), DEFAULT_CONFIG, []);
    await expect(readConfig(run)).rejects.toThrow(`Give the model in it: ${join(run, "final")}.`);
    const own = await mkdtemp(join(directory, "broken-"));
    await writeFile(join(own, "config.json"), '{"model_type": ');
    await expect(readConfig(own)).rejects.toThrow(/config\.json must be JSON, but is not: /);
    await expect(readConfig(own)).rejects.toThrow(ConfigurationError);
  });

  it("is left as it was by a configuration that is wrong, and nothing beside it", async () => {
    const own = await mkdtemp(join(directory, "kept-"));
    await writeConfig(own, DEFAULT_CONFIG, []);
    const before = await readFile(join(own, "config.json"), "utf8");
    await expect(writeConfig(own, { ...DEFAULT_CONFIG, hiddenSize: 7 }, [])).rejects.toThrow(
      /hidden_size must be/,
    );
    expect(await readFile(join(own, "config.json"), "utf8")).toBe(before);
    expect(await readdir(own)).toEqual(["config.json"]);
  });
});
