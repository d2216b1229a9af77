// One measurement of this project, in a process of its own:
//   node benchmarks/side-by-side/ours.mjs '{"kind": "inference", ...}'
// Writes a line of JSON: seconds of each pass, and the process's highest resident memory.
import { readFileSync, writeFileSync } from "node:fs";
import { autocast, fromHost, keep, libtorchInfo, noGrad, randn, scope, setThreads } from "@wav2vec2/libtorch";
import {
  Gradients,
  loadCtcModel,
  loadPreTrainingModel,
  makeOptimizer,
  resolveRecipe,
  withPrecision,
} from "wav2vec2";
import { repeat } from "./repeat.mjs";
import { residentMb } from "./resident.mjs";

const request = JSON.parse(process.argv[2]);
const { kind, threads, precision } = request;
setThreads(threads);
const measured = await { products, loading, inference, finetune, pretrain }[kind]();
console.log(JSON.stringify({ ...measured, peakMb: residentMb("VmHWM"), libtorch: libtorchInfo().version }));

/** Products of square matrices, whose memory is read little beside them; small ones where large ones would take seconds. */
async function products() {
  const [small, large] = [512, 2048];
  const product = (size, most) => {
    const matrix = keep(scope(() => randn([size, size]).to({ dtype: precision })));
    return repeat(() => scope(() => void matrix.matmul(matrix)), { ...request, most });
  };
  const trial = await product(small, 3);
  const size = Math.min(...trial.processor) * (large / small) ** 3 > 2 ? small : large;
  return { ...(await product(size, 40)), flops: 2 * size ** 3 };
}

async function loading() {
  const began = performance.now();
  const { model } = await loadCtcModel(request.directory);
  for (const parameter of model.parameters()) scope(() => parameter.sum().item());
  return { seconds: [(performance.now() - began) / 1000] };
}

async function inference() {
  const { model } = await loadCtcModel(request.directory);
  const input = audioTensor();
  let values;
  const forward = () => model.forward({ input }).logits.toFloat32Array();
  const pass = () =>
    noGrad(() =>
      scope(() => {
        values = precision === "float32" ? forward() : autocast({ dtype: precision }, forward);
      }),
    );
  const measured = await repeat(pass, request);
  writeFileSync(request.logits, Buffer.from(values.buffer));
  return measured;
}

async function finetune() {
  const { model } = await loadCtcModel(request.directory);
  if (request.frozen) model.freezeFeatureEncoder();
  const input = audioTensor();
  const labels = read(request.inputs.labels, Int32Array);
  const labelLengths = Int32Array.from({ length: request.inputs.clips }, () => request.inputs.labelsAClip);
  return await steps(model, () => {
    const { logits, frames } = model.forward({ input });
    return { loss: model.loss(logits, frames, { labels, labelLengths }), count: 1 };
  });
}

async function pretrain() {
  const { model } = await loadPreTrainingModel(request.directory);
  const input = audioTensor();
  const maskTimeIndices = read(request.inputs.mask, Uint8Array);
  const sampledNegativeIndices = read(request.inputs.negatives, Int32Array);
  return await steps(model, () => {
    const { loss, maskedFrames } = model.forward({ input, maskTimeIndices, sampledNegativeIndices });
    return { loss, count: maskedFrames };
  });
}

/** Steps as the training loop makes them: loss, gradients, clipping, AdamW. */
async function steps(model, lossOf) {
  const task = kind === "finetune" ? "finetune" : "pretrain";
  const recipe = resolveRecipe({
    task,
    output: "unused",
    max_steps: 1000,
    precision,
    data: { root: "unused" },
    optimizer: { learning_rate: 1e-5 },
  });
  model.train();
  const optimizer = makeOptimizer(model, recipe);
  optimizer.learningRate = recipe.optimizer.learning_rate;
  const gradients = new Gradients(optimizer.parameters, recipe);
  let lossValue;
  const step = async () => {
    gradients.begin();
    scope(() => {
      const { loss, count } = withPrecision(recipe, model.device, lossOf);
      gradients.add(loss, count, []);
      lossValue = loss.item();
    });
    const { update } = await gradients.finish(1);
    optimizer.step(update.skip);
    gradients.requireFinite();
    optimizer.zeroGrad();
  };
  return { ...(await repeat(step, request)), loss: lossValue };
}

function audioTensor() {
  const { audio, clips, samples } = request.inputs;
  return keep(fromHost(read(audio, Float32Array), [clips, samples], "cpu"));
}

function read(path, Type) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Type(buffer.slice(byteOffset, byteOffset + byteLength));
}
