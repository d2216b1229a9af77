// Transcribe a recording of any length as it is read, with word times: node examples/10-stream.mjs MODEL FILE
import { loadRecognizer } from "wav2vec2";

const [model, file] = process.argv.slice(2);
const recognizer = await loadRecognizer(model);
for await (const { words } of recognizer.stream(file, { words: true })) {
  for (const { text, start, end, confidence } of words) {
    console.log(`${start.toFixed(2)}-${end.toFixed(2)} s  ${text}  ${(100 * confidence).toFixed(0)} %`);
  }
}
