// What benchmarks of servers send, and the model that answers.
const RATE = 16000;

/** Something with pauses that is not silence. */
export function recording(seconds) {
  return Float32Array.from(
    { length: Math.round(seconds * RATE) },
    (_, i) => (i % (3 * RATE) < 2.5 * RATE ? 0.3 : 0.001) * Math.sin(i * (0.05 + 0.04 * Math.sin(i / 9000))),
  );
}

/** An untrained model. @param size small, or anything else for BASE */
export async function makeModel(directory, size) {
  const { createConfig, CtcTokenizer, PRESETS, saveCtcModel, Vocabulary, Wav2Vec2ForCTC } = await import(
    "wav2vec2"
  );
  const vocabulary = Vocabulary.fromTranscripts(["ABCDEFGHIJKLMNOPQRSTUVWXYZ '"]);
  const small = {
    convDim: Array(7).fill(128),
    hiddenSize: 96,
    numHiddenLayers: 4,
    numAttentionHeads: 4,
    intermediateSize: 384,
  };
  const shape = {
    vocabSize: vocabulary.size,
    padTokenId: vocabulary.blankId,
    ...(size === "small" && small),
  };
  const model = new Wav2Vec2ForCTC(createConfig(shape, PRESETS.base));
  await saveCtcModel(directory, { model, tokenizer: new CtcTokenizer(vocabulary), normalize: false });
}
