// One point of benchmarks/growth.mjs:
//   node benchmarks/growth/point.mjs '{"directory": "...", "clips": 1, "seconds": 10, "threads": 2}'
import { fromHost, keep, noGrad, scope, setThreads } from "@wav2vec2/libtorch";
import { createConfig, loadCtcModel, Random, Recognizer, Wav2Vec2ForCTC } from "wav2vec2";
import { residentMb } from "../side-by-side/resident.mjs";

const RATE = 16000;
const request = JSON.parse(process.argv[2]);
const { clips, seconds, threads, layers, recording } = request;
setThreads(threads);
const ctc = await loadCtcModel(request.directory);
if (layers)
  ctc.model = new Wav2Vec2ForCTC(createConfig({ numHiddenLayers: layers }, ctc.model.config)).eval();
const random = new Random(1, "growth");
const pass = recording ? await ofRecording() : ofBatch();
if (seconds <= 60) await pass(); // takes memory and chooses kernels, which an hour has time for
const processor = process.cpuUsage();
const began = performance.now();
await pass();
const took = performance.now() - began;
const { user, system } = process.cpuUsage(processor);
console.log(
  JSON.stringify({ seconds: took / 1000, processor: (user + system) / 1e6, peakMb: residentMb("VmHWM") }),
);

/** As a stream of blocks: a recording is never in memory as a whole. */
async function ofRecording() {
  const recognizer = new Recognizer(ctc, { beamWidth: 1 });
  const block = Float32Array.from({ length: RATE }, () => 0.1 * (random.uniform() - 0.5));
  async function* blocks() {
    for (let second = 0; second < seconds; second++) yield block;
  }
  return async () => {
    for await (const piece of recognizer.streamBlocks(blocks())) void piece;
  };
}

function ofBatch() {
  const samples = Float32Array.from({ length: clips * seconds * RATE }, () => random.uniform() - 0.5);
  const input = keep(fromHost(samples, [clips, seconds * RATE], "cpu"));
  return () => noGrad(() => scope(() => void ctc.model.forward({ input }).logits.toFloat32Array()));
}
