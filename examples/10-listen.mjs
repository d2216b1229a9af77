// Transcribe a recording of any length, with word times: node examples/10-listen.mjs MODEL FILE
import { loadRecognizer, streamAudio } from "wav2vec2";

const [model, file] = process.argv.slice(2);
const recognizer = await loadRecognizer(model);
for await (const { words } of recognizer.listen(streamAudio(file), { name: file })) {
  for (const { text, start, end, confidence } of words) {
    console.log(`${start.toFixed(2)}-${end.toFixed(2)} s  ${text}  ${(100 * confidence).toFixed(0)} %`);
  }
}
