// Transcribe a file with a model directory: node examples/04-transcribe.mjs MODEL FILE
import { loadRecognizer } from "wav2vec2";

const [model, file] = process.argv.slice(2);
const recognizer = await loadRecognizer(model);
const { text } = await recognizer.transcribe(file); // or bytes, a stream, a Blob, a URL, samples
console.log(text);
