// A page that hands its recogniser out: the tests of WebGPU ask it for the text and the logits of an engine.
import { loadRecognizer } from "wav2vec2/web";

const runtimes = new Map();

async function runtime(engine) {
  const addressOf = (file) => new URL(`ort/${file}`, document.baseURI).href;
  const ort = await import(addressOf(`ort.${engine}.bundle.min.mjs`));
  const kind = engine === "webgpu" ? ".asyncify" : "";
  ort.env.wasm.wasmPaths = { wasm: addressOf(`ort-wasm-simd-threaded${kind}.wasm`) };
  ort.env.wasm.numThreads = 1;
  return ort;
}

window.recognize = async (engine, dtype, samples) => {
  if (!runtimes.has(engine)) runtimes.set(engine, runtime(engine));
  const ort = await runtimes.get(engine);
  const recognizer = await loadRecognizer("model/", {
    ort,
    dtype,
    session: { executionProviders: [engine] },
  });
  const { text } = await recognizer.transcribe(Float32Array.from(samples));
  const { logits } = await recognizer.scorer.score(Float32Array.from(samples));
  await recognizer.close();
  return { text, logits: [...logits] };
};
