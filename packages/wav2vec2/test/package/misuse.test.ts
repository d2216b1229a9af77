import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { scope, TorchError, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as library from "../../src/index.js";
import * as transforms from "../../src/transforms.js";
import * as web from "../../src/web/index.js";

// What plain JavaScript may write: every exported function and class with values of wrong types. Each call may succeed or
// throw an error with a code that says what must be given; nothing else is thrown.

process.env.HF_HUB_OFFLINE = "1";
const directory = mkdtempSync(join(tmpdir(), "misuse-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const config = library.createConfig({
  ...{ convDim: [8, 8], convKernel: [10, 3], convStride: [5, 2], hiddenSize: 8, numHiddenLayers: 1 },
  ...{ numAttentionHeads: 2, intermediateSize: 8, numConvPosEmbeddings: 4, numConvPosEmbeddingGroups: 2 },
  ...{ vocabSize: 4, tdnnDim: [8], tdnnKernel: [1], tdnnDilation: [1], numCodevectorsPerGroup: 4 },
  ...{ codevectorDim: 4, projCodevectorDim: 4 },
});
const tokenizer = new library.CtcTokenizer(new library.Vocabulary(["<pad>", "|", "A", "B"]));
const ctc = { model: new library.Wav2Vec2ForCTC(config), tokenizer, normalize: true };

const JUNK: readonly unknown[] = [
  ...[undefined, null, {}, join(directory, "x"), [], Symbol("s"), -1, 1.5, 1n, true],
  ...[[undefined], () => 3, Promise.resolve("x"), new Map(), class {}],
];

function* argumentLists(): Generator<unknown[]> {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  yield [];
  for (const value of JUNK) {
    yield [value];
    yield [value, value, value];
    yield [join(directory, "y"), value];
    yield [[{}], value];
    yield [x, value];
    yield [config, value];
    yield [ctc, value];
    yield [new Float32Array(4000), value];
    yield [new Uint8Array(4), value, 2, Math.random];
  }
}

type Callable = (...args: unknown[]) => unknown;
type Constructor = new (...args: unknown[]) => object;

/** Everything that can be called, by name; errors' classes are not made by users. */
function exported(): [string, Callable][] {
  const ofPages = Object.entries(web).filter(([name, value]) => Reflect.get(library, name) !== value);
  const named = ofPages.map(([name, value]) => [`web ${name}`, value] as const);
  return [...Object.entries({ ...library, ...transforms }), ...named].flatMap(
    ([name, value]): [string, Callable][] => {
      if (typeof value !== "function" || /Error$/.test(name)) return [];
      const isClass = /^class\b/.test(Function.prototype.toString.call(value));
      return [
        [
          name,
          isClass
            ? (...args) => new (value as unknown as Constructor)(...args)
            : (value as unknown as Callable),
        ],
      ];
    },
  );
}

/** Waits for what comes, and ends what was begun. */
async function settle(result: unknown): Promise<void> {
  const given = await result;
  if (typeof given !== "object" || given === null) return;
  if (Symbol.asyncIterator in given && "next" in given)
    for await (const _ of given as AsyncIterable<unknown>) break;
  else if ("next" in given && Symbol.iterator in given) for (const _ of given as Iterable<unknown>) break;
  if ("close" in given && typeof given.close === "function") await given.close();
}

function isSaid(error: unknown): boolean {
  const isOwn =
    error instanceof library.UserError || error instanceof TorchError || error instanceof library.PoolError;
  if (isOwn) return /^[A-Z_]+$/.test(error.code);
  return (
    error instanceof TypeError &&
    "code" in error &&
    error.code === "ERR_INVALID_ARG_TYPE" &&
    / must .* but /.test(error.message)
  );
}

const text = (args: readonly unknown[]) => inspect(args, { depth: 0 }).replace(/\s+/g, " ").slice(0, 200);

async function faultsOf(name: string, call: Callable): Promise<string[]> {
  const faults: string[] = [];
  for (const args of argumentLists()) {
    try {
      await scope(() => settle(call(...args)));
    } catch (error) {
      if (!isSaid(error)) faults.push(`${name}(${text(args)}) throws ${error}`);
    }
  }
  return faults.slice(0, 3);
}

describe("values of wrong types", () => {
  const functions = exported();

  it("are looked at in all that is exported", () => {
    expect(functions.length).toBeGreaterThan(110);
  });

  it.each(functions)("are refused by %s", async (name, call) => {
    expect(await faultsOf(name, call)).toEqual([]);
  });
});

const INSTANCES: Record<string, () => object> = {
  Recognizer: () => new library.Recognizer(ctc),
  Aligner: () => new library.Aligner(ctc),
  CtcDecoder: () => new library.CtcDecoder(tokenizer),
  DecodingStream: () => new library.CtcDecoder(tokenizer).stream(),
  CtcTokenizer: () => tokenizer,
  Vocabulary: () => tokenizer.vocabulary,
  Random: () => new library.Random(1),
  ErrorRate: () => new library.ErrorRate(),
  Augmentation: () => new library.Augmentation({}),
  Wav2Vec2ForCTC: () => ctc.model,
};

/** Of the class and those that it extends, but nn.Module, whose methods have a test of their own. */
function methods(instance: object): string[] {
  const found: string[] = [];
  for (
    let at = Object.getPrototypeOf(instance);
    at && at.constructor.name !== "Module";
    at = Object.getPrototypeOf(at)
  )
    if (at !== Object.prototype)
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
        if (typeof value === "function" && name !== "constructor") found.push(name);
  return [...new Set(found)];
}

describe("values of wrong types in methods", () => {
  it.each(Object.entries(INSTANCES))("are refused by %s", async (kind, make) => {
    const faults: string[] = [];
    for (const name of methods(make())) {
      const call: Callable = (...args) => Reflect.apply(Reflect.get(make(), name), make(), args);
      faults.push(...(await faultsOf(`${kind}.${name}`, call)));
    }
    expect(faults).toEqual([]);
  });
});

/** What is thrown, as its code and message. */
async function said(call: () => unknown): Promise<string> {
  try {
    await settle(call());
  } catch (error) {
    if (isSaid(error)) return `${(error as { code: string }).code}: ${(error as Error).message}`;
    return `RAW ${error}`;
  }
  return "nothing";
}

const model = join(directory, "model");
beforeAll(() => library.saveCtcModel(model, ctc));

const samples = () => new Float32Array(4000).map((_, i) => Math.sin(i));
const recipe = (values: library.RecipeInput = {}) =>
  library.resolveRecipe({
    data: { root: directory },
    output: join(directory, "run"),
    max_steps: 1,
    ...values,
  });
const classifier = { model: new library.Wav2Vec2ForSequenceClassification(config), normalize: true };
const recognizer = () => new library.Recognizer(ctc);
const loaded = (options: unknown) => library.loadModel(library.Wav2Vec2ForCTC, model, options as never);
const plan = [{ samples: 4000, seconds: 1, id: "a", path: "a.flac" }];

/** Each function that takes options, with an object in their place. */
const WITH_OPTIONS: Record<string, (options: never) => unknown> = {
  readAudio: (options) => library.readAudio(samples(), options),
  streamAudio: (options) => library.streamAudio(samples(), options),
  loadClassifier: (options) => library.loadClassifier(model, options),
  Augmentation: (options) => new library.Augmentation(options),
  batchOrder: (options) => library.batchOrder(plan, options),
  lengthBucketedBatches: (options) => library.lengthBucketedBatches(plan, options),
  collateCtc: (options) => library.collateCtc([], options),
  loadBatches: (options) => library.loadBatches([], options),
  ctcPreparation: (options) => library.ctcPreparation(config, options),
  preTrainingPreparation: (options) => library.preTrainingPreparation(config, options),
  checkCorpus: (options) => library.checkCorpus(directory, options),
  readCorpus: (options) => library.readCorpus(directory, "x", options),
  "LibriSpeechDataset.open": (options) => library.LibriSpeechDataset.open(directory, options),
  readStats: (options) => library.readStats(directory, options),
  classifyFile: (options) => library.classifyFile(classifier, samples(), options),
  evaluateClassifier: (options) => library.evaluateClassifier(model, options),
  evaluateModel: (options) => library.evaluateModel(ctc, options),
  tuneDecoding: (options) => library.tuneDecoding(model, options),
  exportOnnx: (options) => library.exportOnnx(ctc, join(directory, "onnx"), options),
  exportHuggingFace: (options) => library.exportHuggingFace(ctc, join(directory, "hf"), options),
  pageFiles: (options) => library.pageFiles([], options),
  writePage: (options) => library.writePage([model], join(directory, "page"), options),
  "web loadRecognizer": (options) => web.loadRecognizer(model, options),
  parseLanguageModel: (options) => web.parseLanguageModel(new Uint8Array(9), options),
  resolveModel: (options) => library.resolveModel(model, options),
  createConfig: (options) => library.createConfig(options),
  loadCtcModel: (options) => library.loadCtcModel(model, options),
  saveCtcModel: (options) => library.saveCtcModel(model, ctc, options),
  loadLanguageAdapter: (options) => library.loadLanguageAdapter(ctc.model, model, "eng", options),
  loadModel: loaded,
  saveModel: (options) => library.saveModel(model, ctc.model, options),
  loadPreTrainingModel: (options) => library.loadPreTrainingModel(model, options),
  loadAligner: (options) => library.loadAligner(model, options),
  align: (options) => new library.Aligner(ctc).align(samples(), "A", options),
  transcribeFiles: (options) => library.transcribeFiles(recognizer(), [], options),
  recognizerPool: (options) => library.recognizerPool(ctc, options),
  loadRecognizer: (options) => library.loadRecognizer(model, options),
  transcribe: (options) => recognizer().transcribe(samples(), options),
  stream: (options) => recognizer().stream(samples(), options),
  raw: (options) => recognizer().transcribe(new Uint8Array(8000), { raw: options }),
  windows: (options) => recognizer().transcribe(samples(), { windows: options }),
  CtcDecoder: (options) => new library.CtcDecoder(tokenizer, options),
  transcriptWriter: (options) => library.transcriptWriter("json", "a", options),
  loadLanguageModel: (options) => library.loadLanguageModel(join(directory, "x"), options),
  CtcTokenizer: (options) => new library.CtcTokenizer(tokenizer.vocabulary, options),
  encode: (options) => tokenizer.encode("A", options),
  writeReport: (options) => library.writeReport(directory, options),
  trackRun: (options) => library.trackRun(join(directory, "tracked"), options),
  saveCheckpoint: (options) => library.saveCheckpoint(directory, { step: 1 }, options),
  loadNewestCheckpoint: (options) => library.loadNewestCheckpoint(directory, options),
  finetune: (options) => library.finetune(recipe(), options),
  pretrain: (options) => library.pretrain(recipe({ task: "pretrain" }), options),
  trainClassifier: (options) => library.trainClassifier(recipe({ task: "classify" }), options),
  trainTask: (options) => library.trainTask(recipe(), options, () => undefined as never),
  resolveRecipe: (options) => library.resolveRecipe(options),
  loadRecipe: (options) => library.loadRecipe(undefined, options),
};

describe("options", () => {
  it.each(Object.entries(WITH_OPTIONS))("that do not exist are refused by %s", async (_, call) => {
    expect(await said(() => call({ nonsuch: 1 } as never))).toMatch(/^ERR_(CONFIGURATION|USER): .*nonsuch/s);
  });

  it.each(Object.entries(WITH_OPTIONS))("that are no object are refused by %s", async (_, call) => {
    for (const none of [null, 5, "x", true])
      expect(await said(() => call(none as never))).toMatch(
        /^ERR_(CONFIGURATION|USER|INVALID_ARG_TYPE): .*must be/s,
      );
  });
});

describe("a slip", () => {
  const slips: [slip: string, call: () => unknown, message: string][] = [
    ["in newHead's name", () => loaded({ newhead: "always" }), "Did you mean newHead?"],
    [
      "in newHead's value",
      () => loaded({ newHead: "allways" }),
      'newHead of loadModel must be "where missing" or "where different" or "always" or "never", but is "allways". Did you mean "always"?',
    ],
    [
      "a device that is a number",
      () => loaded({ device: 0 }),
      "device of loadModel must be a string, but is 0.",
    ],
    [
      "normalise",
      () => library.saveModel(model, ctc.model, { normalise: true } as never),
      "but one is normalise. Did you mean normalize?",
    ],
    [
      "saveModel's arguments swapped",
      () => library.saveModel(ctc.model as never, model as never, { normalize: true }),
      "directory of saveModel must be a path, but is a Wav2Vec2ForCTC.",
    ],
    [
      "a model where a recogniser is meant",
      () => library.saveModel(model, ctc as never, { normalize: true }),
      "model of saveModel must be an nn.Module, but is an Object. Give its model.",
    ],
    [
      "a promise that nobody awaited",
      () => new library.Recognizer(library.loadCtcModel(model) as never),
      "but is a Promise. Await it.",
    ],
    [
      "new Recognizer of a directory",
      () => new library.Recognizer("dir" as never),
      'but is "dir". Load it: await loadRecognizer("dir").',
    ],
    [
      "new Recognizer of a module",
      () => new library.Recognizer(ctc.model as never),
      "Put its tokenizer and normalize beside it.",
    ],
    [
      "loadRecognizer of a model in memory",
      () => library.loadRecognizer(ctc as never),
      "but is a model in memory. Call new Recognizer(ctc, decoding).",
    ],
    [
      "a model's address in place of its path",
      () => library.loadRecognizer(new URL("file:///models/mine") as never),
      "The model must be a directory or a Hub id, but is a URL. Give fileURLToPath(…) of it.",
    ],
    [
      "a model that is named by nothing",
      () => library.loadRecognizer(""),
      "The model must be a directory or a Hub id, but is empty.",
    ],
    [
      "the name of windows",
      () => recognizer().transcribe(samples(), { windows: "live" as never }),
      'windows of transcribe must be an object, but is "live". Give FILE_WINDOWS or LIVE_WINDOWS.',
    ],
    [
      "a text in place of a transcript",
      () => library.transcriptWriter("srt", "a.flac").add("A" as never),
      'transcript of add must be a transcript, { text, start, end, words }, but is "A". Give those of stream',
    ],
    [
      "words without times",
      () =>
        library
          .transcriptWriter("vtt", "a.flac")
          .add({ text: "A", start: 0, end: 1, words: [{ text: "A" }] } as never),
      "transcript of add must be a transcript",
    ],
    [
      "a transcript that nobody awaited",
      () => library.transcriptWriter("json", "a.flac").add(recognizer().transcribe(samples()) as never),
      "but is a Promise. Await it.",
    ],
    [
      "a normalisation outside a list",
      () =>
        library.evaluateModel(ctc, { data: directory, textNormalization: ((said: string) => said) as never }),
      "but is a function. Give it in a list.",
    ],
    [
      "a beam without width",
      () => library.loadRecognizer(model, { beamWidth: "4" as never }),
      'beamWidth must be a whole number from 1 to 100,000, but is "4".',
    ],
    ["a pool of a recogniser", () => library.recognizerPool(recognizer() as never), "Give its ctc."],
    [
      "evaluateModel of a module",
      () => library.evaluateModel(ctc.model as never, { data: directory }),
      "Put its tokenizer and normalize beside it.",
    ],
    [
      "transcribeFiles of one path",
      () => library.transcribeFiles(recognizer(), "a.flac" as never),
      'files of transcribeFiles must be a list of paths, but is "a.flac". Give [path].',
    ],
    [
      "transcribeFiles of a directory",
      () => library.transcribeFiles(model as never, []),
      "recognizer of transcribeFiles must be a Recognizer",
    ],
    [
      "an alignment without a text",
      () => new library.Aligner(ctc).align(samples(), undefined as never),
      "text of align must be the text that is said, but is undefined.",
    ],
    [
      "a path where blocks are meant, in an alignment",
      () => new library.Aligner(ctc).alignBlocks("a.flac" as never, "A"),
      'blocks of align must be blocks of samples at 16 kHz, one after another, but is "a.flac". Read the file: streamAudio("a.flac").',
    ],
    [
      "no blocks to transcribe",
      () => recognizer().streamBlocks(undefined as never),
      "blocks of streamBlocks must be blocks of samples at 16 kHz, one after another, but is undefined. Give [samples].",
    ],
    [
      "phonemes that are no choice",
      () => new library.CtcTokenizer(tokenizer.vocabulary, { phonemes: "yes" as never }),
      'phonemes of new CtcTokenizer must be true or false, but is "yes".',
    ],
    [
      "an export to nowhere",
      () => library.exportOnnx(ctc, undefined as never),
      "ERR_INVALID_ARG_TYPE: directory of exportOnnx must be a path, but is undefined.",
    ],
    [
      "a classifier by its name",
      () => library.classifyFile("dir" as never, samples()),
      'ERR_INVALID_ARG_TYPE: classifier of classifyFile must be { model, normalize } with a classification head, but is "dir".',
    ],
    [
      "a number out of range, which is of the right type",
      () => library.padClips([], -1),
      "ERR_CONFIGURATION: paddedLength of padClips must be a whole number of at least 0, but is -1.",
    ],
    [
      "a loss without targets",
      () => ctc.model.loss(tensor([[[1]]]), [1], undefined as never),
      "targets of loss must be { labels, labelLengths }, but is undefined.",
    ],
    [
      "hotwords that are numbers",
      () => new library.CtcDecoder(tokenizer, { hotwords: [1] as never }),
      "hotwords of decoding must be a list of words, but is [1].",
    ],
    [
      "a step of texts that gives a number",
      async () => {
        const { normalizeText } = await import("../../src/text/scoring/normalize-text.js");
        normalizeText("a", [(() => 3) as never]);
      },
      "of textNormalization must return a string, but returned the number 3.",
    ],
    ["no threads", () => library.batchWorkers(0), "must be a whole number from 1 to 256, but is 0."],
    ["threads in words", () => library.recognizerPool(ctc, { threads: "2" as never }), 'but is "2".'],
    ["a beam in words", () => new library.CtcDecoder(tokenizer, { beamWidth: "4" as never }), 'but is "4".'],
    [
      "raw beside samples",
      () => library.streamAudio(samples(), { raw: { encoding: "s16le", sampleRate: 16000, channels: 1 } }),
      "raw must be given with bytes alone, but the audio is samples.",
    ],
    [
      "a file of a recipe",
      () => library.finetune("r.yaml" as never),
      'recipe of finetune must be a recipe, but is "r.yaml". Read it: loadRecipe("r.yaml").',
    ],
    [
      "a recipe without defaults",
      () => library.finetune({ max_steps: 3 } as never),
      "but is an Object. Fill in its defaults: resolveRecipe({ … }).",
    ],
    [
      "a recipe of another task",
      () => library.finetune(recipe({ task: "classify" })),
      "must be finetune, but is classify. Call trainClassifier(recipe).",
    ],
    [
      "a tracker by its name",
      () => library.finetune(recipe(), { tracker: "wandb" as never }),
      "Services are named by the recipe's tracking",
    ],
    [
      "PyTorch's lr",
      () => library.resolveRecipe({ data: { root: "x" }, optimizer: { lr: 1e-3 } } as never),
      "unknown key 'lr'. Did you mean 'learning_rate'?",
    ],
    [
      "a key in camelCase",
      () => library.resolveRecipe({ data: { root: "x" }, maxSteps: 3 } as never),
      "unknown key 'maxSteps'. Did you mean 'max_steps'?",
    ],
    [
      "Hugging Face's name",
      () => library.resolveRecipe({ data: { root: "x" }, num_train_epochs: 3 } as never),
      "Did you mean 'max_epochs'?",
    ],
  ];

  it.each(slips)("%s is said", async (_, call, message) => {
    const text = await said(call);
    expect(text).toMatch(/^ERR_/);
    expect(text).toContain(message);
  });
});

it.each<[string, () => unknown]>([
  ["a number", () => new library.CtcDecoder(tokenizer, { beamWidth: 0 })],
  ["a hotword", () => new library.CtcDecoder(tokenizer, { hotwords: ["XYZ"] })],
  [
    "a transcript without words in subtitles",
    () => library.transcriptWriter("srt", "a.flac").add({ text: "A", start: 0, end: 1, words: [] }),
  ],
  [
    "a choice of decoding",
    async () => {
      const path = join(directory, "decoding.json");
      writeFileSync(path, '{"beam_width": 0}');
      await library.readDecodingChoice(path);
    },
  ],
  [
    "an entry of a choice",
    async () => {
      const path = join(directory, "entry.json");
      writeFileSync(path, '{"beams": 4}');
      await library.readDecodingChoice(path);
    },
  ],
])("%s that is wrong usage is a ConfigurationError", async (_, call) => {
  const error = await new Promise((resolve) => resolve(call())).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(library.ConfigurationError);
  expect(error).toMatchObject({ code: "ERR_CONFIGURATION" });
});

it("a configuration is shown with its values", () => {
  expect(inspect(config)).toContain("hiddenSize: 8,");
  expect(inspect(config)).not.toContain("Getter");
});
