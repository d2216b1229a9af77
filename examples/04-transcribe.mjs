// Transcribe a file with a model directory: node examples/04-transcribe.mjs MODEL FILE
import { loadRecognizer, readAudio } from "wav2vec2";

const [model, file] = process.argv.slice(2);
const recognizer = await loadRecognizer(model);
console.log(await recognizer.transcribe(await readAudio(file), file));
