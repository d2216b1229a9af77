import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  loadTensors,
  manualSeed,
  memoryStatistics,
  noGrad,
  randn,
  saveTensors,
  type Tensor,
  zeros,
} from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { createConfig, type Wav2Vec2Config } from "../model/configuration.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { adapterKeys } from "../model/state-keys.js";
import { Wav2Vec2Model } from "../model/wav2vec2-model.js";
import { CtcTokenizer } from "../text/tokenizer.js";
import { Vocabulary } from "../text/vocabulary.js";
import { loadCtcModel, saveCtcModel } from "./ctc-directory.js";
import { loadLanguageAdapter } from "./language-adapter.js";
import { loadModel, saveModel } from "./model-directory.js";
import { readNormalize } from "./preprocessor.js";

const config = createConfig({
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
  convDim: [8, 8],
  convKernel: [10, 8],
  convStride: [5, 8],
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 2,
  numCodevectorsPerGroup: 4,
  codevectorDim: 8,
  projCodevectorDim: 6,
  vocabSize: 8,
  doStableLayerNorm: true,
  adapterAttnDim: 4,
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "model-directory-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const tokenizer = (text: string) => new CtcTokenizer(Vocabulary.fromTranscripts([text]));
const lastHiddenState = (model: Wav2Vec2Model, input: Tensor) =>
  noGrad(() => model.eval().forward({ input }).lastHiddenState.toArray());

async function messageOf(run: () => Promise<unknown>): Promise<string> {
  const error: unknown = await run().then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
}

describe("a model directory", () => {
  const input = randn([1, 2000]);

  it("leaves no memory that making it took for the cache to keep", async () => {
    const directory = join(root, "memory");
    await saveModel(directory, new Wav2Vec2Model(config), { normalize: true });
    const bytes = 64 * 2 ** 20;
    zeros([bytes / 4]).dispose();
    expect(memoryStatistics().cachedBytes).toBeGreaterThanOrEqual(bytes);
    await loadModel(Wav2Vec2Model, directory);
    expect(memoryStatistics().cachedBytes).toBeLessThan(bytes);
  });

  it("is read as the class it was saved from, to the bit", async () => {
    for (const Model of [Wav2Vec2Model, Wav2Vec2ForPreTraining, Wav2Vec2ForCTC]) {
      const directory = join(root, Model.name);
      const model = new Model(config);
      await saveModel(directory, model, { normalize: true });
      const loaded: Wav2Vec2Model | Wav2Vec2ForPreTraining | Wav2Vec2ForCTC = await loadModel<
        Wav2Vec2Model | Wav2Vec2ForPreTraining | Wav2Vec2ForCTC
      >(Model, directory);
      const expected = new Map(model.namedParameters());
      for (const [name, parameter] of loaded.namedParameters()) {
        expect(parameter.equal(expected.get(name)!), name).toBe(true);
      }
      expect(JSON.parse(await readFile(join(directory, "config.json"), "utf8")).architectures).toEqual([
        Model.name,
      ]);
    }
  });

  it("gives its network to the other classes, without its head", async () => {
    const model = new Wav2Vec2ForPreTraining(config);
    const directory = join(root, "backbone");
    await saveModel(directory, model, { normalize: true });
    const expected = lastHiddenState(model.wav2vec2, input);
    expect(lastHiddenState(await loadModel(Wav2Vec2Model, directory), input)).toEqual(expected);
    expect(await messageOf(() => loadModel(Wav2Vec2ForCTC, directory))).toMatch(
      /must hold the weights that config\.json describes.*\n {2}missing: lm_head\.weight\n {2}missing: lm_head\.bias\n.*Fine-tune it first/,
    );
    manualSeed(1);
    const ctc = await loadModel(Wav2Vec2ForCTC, directory, { newHead: "where missing" });
    expect(lastHiddenState(ctc.wav2vec2, input)).toEqual(expected);
    manualSeed(1);
    const again = await loadModel(Wav2Vec2ForCTC, directory, { newHead: "where missing" });
    expect(again.lmHead.weight.equal(ctc.lmHead.weight)).toBe(true);
    expect(ctc.lmHead.weight.square().mean().sqrt().item()).toBeCloseTo(config.initializerRange, 2);
    const blankFirst = [ctc.lmHead.bias!.toArray()[0], ...Array<number>(7).fill(0)];
    expect(ctc.lmHead.bias!.toArray()).toEqual(blankFirst);
    expect(blankFirst[0]).toBeGreaterThan(0);
  });

  it("may lack the vector that masked frames become, or have it in vain", async () => {
    const masking: Partial<Wav2Vec2Config> = { maskTimeProb: 0.05 };
    const unmasked: Partial<Wav2Vec2Config> = { maskTimeProb: 0, maskFeatureProb: 0 };
    for (const [saved, wanted] of [
      [masking, unmasked],
      [unmasked, masking],
    ]) {
      const directory = join(root, "mask");
      await saveModel(directory, new Wav2Vec2Model(createConfig(saved, config)), { normalize: true });
      const model = await loadModel(Wav2Vec2Model, directory, {
        config: (base) => createConfig(wanted, base),
      });
      const vector = model.maskedSpecEmbed?.toArray();
      expect(vector?.every((value) => value >= 0 && value < 1)).toBe(wanted === masking ? true : undefined);
    }
  });

  it("may hold what the network has no place for, which is said once", async () => {
    const directory = join(root, "surplus");
    const model = new Wav2Vec2ForCTC(config);
    await saveModel(directory, model, { normalize: true });
    const weights = join(directory, "model.safetensors");
    const { tensors } = await loadTensors(weights);
    const surplus = [
      ["wav2vec2.mask_time_emb_vector", randn([16])],
      ["loss_fct.weight", randn([8])],
      ["classifier.dense.weight", randn([3, 3])],
    ] as const;
    await saveTensors(weights, [...tensors, ...surplus]);
    const notes: string[] = [];
    const loaded = await loadModel(Wav2Vec2ForCTC, directory, { onNote: (text) => notes.push(text) });
    expect(lastHiddenState(loaded.wav2vec2, input)).toEqual(lastHiddenState(model.wav2vec2, input));
    expect(loaded.wav2vec2.maskedSpecEmbed!.equal(model.wav2vec2.maskedSpecEmbed!)).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/left out: .*mask_time_emb_vector.*$/)]);
    for (const [name] of surplus) expect(notes[0]).toContain(name);

    const early = Array.from(
      tensors,
      ([name, value]) => [name.replace("masked_spec_embed", "mask_time_emb_vector"), value] as const,
    );
    await saveTensors(weights, early);
    const again = await loadModel(Wav2Vec2ForCTC, directory, { onNote: (text) => notes.push(text) });
    expect(again.wav2vec2.maskedSpecEmbed!.equal(model.wav2vec2.maskedSpecEmbed!)).toBe(true);
    expect(notes).toHaveLength(1);
  });

  it("that holds fairseq's names is read too", async () => {
    const directory = join(root, "fairseq");
    const plain = createConfig({ adapterAttnDim: null }, config);
    const model = new Wav2Vec2Model(plain);
    await saveModel(directory, model, { normalize: true });
    const fairseq = (name: string) =>
      name
        .replace("masked_spec_embed", "mask_emb")
        .replace(/(conv_layers\.\d+)\.conv/, "$1.0")
        .replace(/(conv_layers\.\d+)\.layer_norm/, "$1.2")
        .replace("feature_projection.layer_norm", "layer_norm")
        .replace("feature_projection.projection", "post_extract_proj")
        .replace("pos_conv_embed.conv.parametrizations.weight.original0", "pos_conv.0.weight_g")
        .replace("pos_conv_embed.conv.parametrizations.weight.original1", "pos_conv.0.weight_v")
        .replace("pos_conv_embed.conv", "pos_conv.0")
        .replace(/(layers\.\d+)\.layer_norm/, "$1.self_attn_layer_norm")
        .replace(/(layers\.\d+)\.attention/, "$1.self_attn")
        .replace("feed_forward.intermediate_dense", "fc1")
        .replace("feed_forward.output_dense", "fc2");
    const renamed = Array.from(model.namedParameters(), ([name, value]) => [fairseq(name), value] as const);
    expect(renamed.map(([name]) => name)).toContain("encoder.layers.0.self_attn.q_proj.weight");
    await saveTensors(join(directory, "model.safetensors"), renamed);
    const loaded = await loadModel(Wav2Vec2Model, directory);
    expect(lastHiddenState(loaded, input)).toEqual(lastHiddenState(model, input));
  });

  it("is replaced whole, but never with what else lies there", async () => {
    const directory = join(root, "replaced");
    const model = new Wav2Vec2Model(config);
    await saveModel(directory, model, { normalize: false });
    await writeFile(join(directory, "pytorch_model.bin"), "the old weights");
    await saveModel(`${directory}/`, model, { normalize: false });
    expect((await readdir(directory)).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "preprocessor_config.json",
    ]);
    const beside = [".old", ".tmp"].map((suffix) => `${directory}${suffix}`);
    for (const path of beside) await writeFile(path, "a backup");
    await saveModel(directory, model, { normalize: false });
    for (const path of beside) expect(await readFile(path, "utf8")).toBe("a backup");
    expect(await messageOf(() => saveModel(beside[0]!, model, { normalize: true }))).toMatch(
      /must be a directory, but is a file/,
    );
    const link = join(root, "link");
    await symlink(directory, link);
    await saveModel(link, model, { normalize: true });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readNormalize(directory)).toBe(true);
    await writeFile(join(directory, "thesis.tex"), "years of work");
    expect(await messageOf(() => saveModel(directory, model, { normalize: true }))).toMatch(
      /holds other files, which would be lost: thesis\.tex/,
    );
    expect(await readFile(join(directory, "thesis.tex"), "utf8")).toBe("years of work");
  });

  it("of a subclass is read as its base", async () => {
    class Mine extends Wav2Vec2ForCTC {}
    const directory = join(root, "subclass");
    await saveModel(directory, new Mine(config), { normalize: true });
    expect(JSON.parse(await readFile(join(directory, "config.json"), "utf8")).architectures).toEqual([
      "Wav2Vec2ForCTC",
    ]);
    await expect(loadModel(Mine, directory)).resolves.toBeInstanceOf(Mine);
  });

  it("says what it lacks", async () => {
    const directory = join(root, "bad");
    expect(await messageOf(() => loadModel(Wav2Vec2Model, directory))).toContain("there is no directory");
    await mkdir(directory);
    expect(await messageOf(() => loadModel(Wav2Vec2Model, directory))).toContain(
      "config.json must be a readable file",
    );
    await saveModel(directory, new Wav2Vec2Model(config), { normalize: true });
    const weights = join(directory, "model.safetensors");
    const { tensors } = await loadTensors(weights);
    await rm(weights);
    expect(await messageOf(() => loadModel(Wav2Vec2Model, directory))).toMatch(
      /must hold the weights of a model \(model\.safetensors, .*pytorch_model\.bin.*\), but holds none/,
    );
    await writeFile(weights, "not a file of tensors");
    expect(await messageOf(() => loadModel(Wav2Vec2Model, directory))).toContain(weights);
    const renamed = [...tensors].map(
      ([name, value]) => [name.replace("layers.1.", "layer.1."), value] as const,
    );
    await saveTensors(weights, renamed);
    const message = await messageOf(() => loadModel(Wav2Vec2Model, directory));
    expect(message).toContain("missing: encoder.layers.1.");
    expect(message).toMatch(/unexpected: encoder\.layer\.1\.[\w.]+ \(nearest: encoder\.layers\.1\./);
    await saveTensors(weights, tensors);
    const endless = (base: Wav2Vec2Config) => createConfig({ numHiddenLayers: 1e9 }, base);
    expect(await messageOf(() => loadModel(Wav2Vec2Model, directory, { config: endless }))).toMatch(
      /num_hidden_layers of .*config\.json must fit .*, which holds \d+ tensors, but is 1000000000/,
    );
    const wider = (base: Wav2Vec2Config) => createConfig({ intermediateSize: 25 }, base);
    expect(await messageOf(() => loadModel(Wav2Vec2Model, directory, { config: wider }))).toMatch(
      /mis-shaped: .*intermediate_dense.weight must be \[25, 16\], but is \[24, 16\]/,
    );
  });
});

describe("a recogniser's directory", () => {
  it("must agree with itself", async () => {
    const directory = join(root, "recogniser");
    const ctc = { model: new Wav2Vec2ForCTC(config), tokenizer: tokenizer("ABC"), normalize: false };
    await saveCtcModel(directory, ctc);
    expect((await loadCtcModel(directory)).normalize).toBe(false);
    await tokenizer("ABCD").write(directory);
    expect(await messageOf(() => loadCtcModel(directory))).toMatch(/must have 8 tokens .* but has 9/);
    const shifted = ["<s>", "<pad>", "</s>", "<unk>", "|", "A", "B", "C"];
    await new CtcTokenizer(new Vocabulary(shifted)).write(directory);
    expect(await messageOf(() => loadCtcModel(directory))).toMatch(
      /pad_token_id of .* must be 1, .* but is 0/,
    );
  });

  it("of several languages gives the one that is asked for", async () => {
    const directory = join(root, "languages");
    const english = new Wav2Vec2ForCTC(config);
    await saveCtcModel(directory, { model: english, tokenizer: tokenizer("ABC"), normalize: true });
    const vocabulary = (text: string) =>
      Object.fromEntries(tokenizer(text).vocabulary.tokens.map((token, id) => [token, id]));
    const vocabularies = { eng: vocabulary("ABC"), fra: vocabulary("ABCÉ") };
    await writeFile(join(directory, "vocab.json"), JSON.stringify(vocabularies));
    await rm(join(directory, "tokenizer.json"));
    const french = new Wav2Vec2ForCTC(createConfig({ vocabSize: 9 }, config));
    const own = new Set(adapterKeys(Array.from(french.namedParameters(), ([key]) => key)));
    const adapter = [...french.namedParameters()].filter(([key]) => own.has(key));
    const path = join(directory, "adapter.fra.safetensors");
    await saveTensors(path, adapter);

    const { model, tokenizer: chosen } = await loadCtcModel(directory, { language: "fra" });
    expect(chosen.vocabulary.tokens).toContain("É");
    expect(model.config.vocabSize).toBe(9);
    const [theirs, shared] = [new Map(french.namedParameters()), new Map(english.namedParameters())];
    for (const [name, parameter] of model.namedParameters()) {
      expect(parameter.equal((own.has(name) ? theirs : shared).get(name)!), name).toBe(true);
    }

    expect(await messageOf(() => loadCtcModel(directory, { language: "eng" }))).toMatch(
      /language must be one that .* has an adapter for \(fra\), but is eng/,
    );
    // What does not fit leaves the model as it is.
    const before = english.wav2vec2.encoder.layers[0]!.adapterLayer!.norm.bias.clone();
    expect(await messageOf(() => loadLanguageAdapter(english, directory, "fra"))).toMatch(
      /vocabulary of 9 tokens/,
    );
    expect(english.wav2vec2.encoder.layers[0]!.adapterLayer!.norm.bias.equal(before)).toBe(true);
    expect(await messageOf(() => loadLanguageAdapter(english, directory, "x/../../evil"))).toMatch(
      /language must be a code such as eng/,
    );
    await saveTensors(path, adapter.slice(1));
    expect(await messageOf(() => loadCtcModel(directory, { language: "fra" }))).toContain(adapter[0]![0]);
    await saveTensors(path, [...adapter, ["wav2vec2.encoder.layer_norm.weight", randn([16])]]);
    const notes: string[] = [];
    const extra = await loadCtcModel(directory, { language: "fra", onNote: (text) => notes.push(text) });
    expect(notes).toEqual([expect.stringContaining("left out: wav2vec2.encoder.layer_norm.weight.")]);
    const { wav2vec2 } = english;
    expect(extra.model.wav2vec2.encoder.layerNorm.weight.equal(wav2vec2.encoder.layerNorm.weight)).toBe(true);
  });

  it("without attention adapters has no languages", async () => {
    const directory = join(root, "one-language");
    const model = new Wav2Vec2ForCTC(createConfig({ adapterAttnDim: null }, config));
    await saveCtcModel(directory, { model, tokenizer: tokenizer("ABC"), normalize: true });
    expect(await messageOf(() => loadCtcModel(directory, { language: "eng" }))).toMatch(
      /must hold several languages/,
    );
    expect(await messageOf(() => loadLanguageAdapter(model, directory, "eng"))).toMatch(/adapter_attn_dim/);
  });
});

describe("do_normalize", () => {
  it("is in either of the files that transformers writes, and true without them", async () => {
    const directory = join(root, "preprocessor");
    await mkdir(directory);
    expect(await readNormalize(directory)).toBe(true);
    const combined = { feature_extractor: { do_normalize: false, sampling_rate: 16000 } };
    await writeFile(join(directory, "processor_config.json"), JSON.stringify(combined));
    expect(await readNormalize(directory)).toBe(false);
    await writeFile(join(directory, "preprocessor_config.json"), '{"do_normalize": true}');
    expect(await readNormalize(directory)).toBe(true);
  });

  it.each([
    ["{", /must be JSON/],
    ["3", /must be a JSON object/],
    ['{"do_normalize": "yes"}', /do_normalize must be true or false, but is "yes"/],
    ['{"sampling_rate": 8000}', /sampling_rate must be 16000, but is 8000/],
  ])("%s is refused", async (text, message) => {
    const directory = await mkdtemp(join(root, "refused-"));
    await writeFile(join(directory, "preprocessor_config.json"), text);
    expect(await messageOf(() => readNormalize(directory))).toMatch(message);
  });
});
