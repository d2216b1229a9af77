// What the guard watches: operations of this project, each beside bare operators that do about the same work.
import { fromHost, keep, noGrad, randn, scope } from "@wav2vec2/libtorch";
import {
  collatePreTraining,
  EncoderLayer,
  encodeFlac,
  FeatureEncoder,
  Gradients,
  loadRecipe,
  makeOptimizer,
  PRESETS,
  Random,
  readAudio,
  Wav2Vec2ForPreTraining,
} from "wav2vec2";
import { pretrainingSetup } from "../../packages/wav2vec2/dist/training/pretraining/pretraining-model.js";
import { plainEncoder, plainLayer, plainNetwork } from "./plain.mjs";

const RATE = 16000;

/**
 * @typedef {object} Operation
 * @property {string} name
 * @property {number} recorded processor time over the reference's, as it was measured
 * @property {() => void | Promise<void>} run
 * @property {string} beside what the reference is
 * @property {() => void} reference
 */

/** @returns {Operation[]} */
export function operations() {
  return [layer(), encoder(), training(), flac()];
}

function layer() {
  const config = PRESETS.base;
  const module = new EncoderLayer(config);
  module.eval();
  const plain = plainLayer(config);
  const hidden = keep(randn([1, 249, config.hiddenSize]));
  return {
    name: "a layer of BASE, 5 s",
    recorded: 1.05,
    run: () => noGrad(() => scope(() => void module.forward(hidden))),
    beside: "its operators",
    reference: () => noGrad(() => scope(() => void plain(hidden))),
  };
}

function encoder() {
  const config = PRESETS.base;
  const module = new FeatureEncoder(config);
  module.eval();
  const plain = plainEncoder(config);
  const input = keep(randn([1, RATE]));
  return {
    name: "the feature encoder of BASE, 1 s",
    recorded: 0.95,
    run: () => noGrad(() => scope(() => void module.forward(input, [RATE]))),
    beside: "its operators",
    reference: () => noGrad(() => scope(() => void plain(input))),
  };
}

/** A step of pre-training as the training loop makes it. */
function training() {
  const path = new URL("../../configs/pretrain-tiny.yaml", import.meta.url).pathname;
  const recipe = {
    ...loadRecipe(path, {}, undefined, { fallback: { "data.root": "" } }),
    precision: "float32",
  };
  const { config, collation } = pretrainingSetup(recipe, PRESETS.base);
  const model = new Wav2Vec2ForPreTraining(config);
  const plain = plainNetwork(config);
  const random = new Random(1, "guard");
  const items = Array.from({ length: 2 }, (_, i) => ({
    id: String(i),
    samples: Float32Array.from({ length: 2 * RATE }, () => random.uniform() - 0.5),
  }));
  const batch = collatePreTraining(items, collation, () => random.uniform());
  const input = keep(fromHost(batch.input, [2, batch.paddedLength], "cpu"));
  const optimizer = makeOptimizer(model, recipe);
  optimizer.learningRate = 1e-6;
  const gradients = new Gradients(optimizer.parameters, recipe);
  return {
    name: "a pre-training step of the tiny model, 2 x 2 s",
    recorded: 1.3,
    async run() {
      gradients.begin();
      scope(() => {
        const { mask: maskTimeIndices, negatives: sampledNegativeIndices } = batch;
        const { loss, maskedFrames } = model.forward({ input, maskTimeIndices, sampledNegativeIndices });
        gradients.add(loss, maskedFrames, []);
      });
      const { update } = await gradients.finish(1);
      optimizer.step(update.skip);
      gradients.requireFinite();
      optimizer.zeroGrad();
    },
    beside: "forward and backward pass of its layers' operators",
    reference: () => scope(() => plain(input)),
  };
}

/** FLAC beside prediction alone: a sum of eight products for every sample, in integers. */
function flac() {
  const random = new Random(2, "guard");
  let level = 0;
  const samples = Float32Array.from({ length: 5 * RATE }, () => {
    level = 0.95 * level + 0.1 * (random.uniform() - 0.5);
    return level;
  });
  const file = encodeFlac(samples, RATE);
  const history = Int32Array.from(samples, (sample) => sample * 32767);
  const coefficients = Int32Array.of(7, -3, 2, -1, 1, 1, -2, 1);
  let sum = 0;
  return {
    name: "decoding FLAC, 5 s",
    recorded: 1.7,
    async run() {
      await readAudio(file);
    },
    beside: "prediction alone, in JavaScript",
    reference() {
      for (let at = 8; at < history.length; at++) {
        let predicted = 0;
        for (let tap = 0; tap < 8; tap++) predicted += coefficients[tap] * history[at - 1 - tap];
        sum = (sum + (predicted >> 3)) | 0;
      }
    },
  };
}
