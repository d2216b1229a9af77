// Resident memory over training steps on clips of changing lengths:
//   node benchmarks/memory.mjs [STEPS] [FILE.svg]
// Prints a table and the growth after the first 50 steps; with FILE.svg it draws the curve.
import { writeFileSync } from "node:fs";
import { manualSeed, memoryStatistics, optim, randn, scope, setThreads } from "@wav2vec2/libtorch";
import { createConfig, Wav2Vec2ForCTC } from "wav2vec2";

const steps = Number(process.argv[2] ?? 1000);
const picture = process.argv[3];
const MB = 2 ** 20;
manualSeed(1);
setThreads(2);
const config = createConfig({
  vocabSize: 20,
  convDim: [32, 48, 64, 64],
  convKernel: [20, 8, 4, 4],
  convStride: [10, 4, 4, 2],
  hiddenSize: 64,
  numHiddenLayers: 2,
  numAttentionHeads: 4,
  intermediateSize: 128,
  numConvPosEmbeddings: 16,
  numConvPosEmbeddingGroups: 8,
  doStableLayerNorm: true,
});
const model = new Wav2Vec2ForCTC(config);
const optimizer = new optim.AdamW(model.parameters(), { learningRate: 1e-3 });

const curve = [];
for (let step = 1; step <= steps; step++) {
  // Four clips of 0.5 to 5 s, never the same lengths twice.
  const lengths = Array.from({ length: 4 }, (_, i) => 8000 + ((step * 7919 + i * 104729) % 72000));
  scope(() => {
    const input = randn([4, Math.max(...lengths)]);
    const { logits, frames } = model.forward({ input, lengths });
    const labels = Int32Array.from({ length: 16 }, (_, i) => 5 + ((step + i) % 10));
    model.loss(logits, frames, { labels, labelLengths: Int32Array.of(4, 4, 4, 4) }).backward();
  });
  optim.clipGradNorm(optimizer.parameters, 1);
  optimizer.step();
  optimizer.zeroGrad();
  await new Promise((resolve) => setImmediate(resolve));
  if (step % 10 === 0) curve.push({ step, resident: process.memoryUsage.rss() / MB });
  if (step === 1 || step % 50 === 0) {
    const { liveTensors, liveBytes, cachedBytes } = memoryStatistics();
    const { heapUsed, external } = process.memoryUsage();
    const row = { heapUsed, external, liveBytes, cachedBytes };
    const columns = Object.entries(row).map(([name, bytes]) => `${name} ${(bytes / MB).toFixed(1)}`);
    const resident = (process.memoryUsage.rss() / MB).toFixed(0);
    console.log(`step ${step}  resident ${resident} MB  ${columns.join("  ")}  tensors ${liveTensors}`);
  }
}

const after50 = curve.filter(({ step }) => step >= 50);
const [first, last] = [after50[0], after50.at(-1)];
const highest = Math.max(...after50.map(({ resident }) => resident));
console.log(
  `resident at step ${first.step}: ${first.resident.toFixed(0)} MB, at step ${last.step}: ${last.resident.toFixed(0)} MB, ` +
    `highest ${highest.toFixed(0)} MB`,
);
if (picture) writeFileSync(picture, draw(curve));

function draw(points) {
  const top = Math.max(...points.map(({ resident }) => resident)) * 1.1;
  const path = points.map(
    ({ step, resident }) => `${60 + (step / steps) * 520},${210 - (resident / top) * 190}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 250" font-family="sans-serif" font-size="12">
<rect width="600" height="250" fill="white"/>
<path d="M60 20V210H580" fill="none" stroke="#888"/>
<polyline points="${path.join(" ")}" fill="none" stroke="#1565c0" stroke-width="2"/>
<text x="10" y="24">${top.toFixed(0)} MB</text><text x="30" y="214">0</text>
<text x="60" y="230">step 0</text><text x="580" y="230" text-anchor="end">step ${steps}</text>
<text x="320" y="245" text-anchor="middle">resident memory</text>
</svg>
`;
}
