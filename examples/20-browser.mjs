// Speech to text in a page: a bundle of this, beside the model that `wav2vec2 export` wrote to model/ and onnxruntime's files in
// ort/. docs/browser.md says how to make it.
import * as ort from "onnxruntime-web/wasm";
import { loadRecognizer, transcriptWriter } from "wav2vec2/web";

ort.env.wasm.wasmPaths = new URL("ort/", document.baseURI).href;
document.body.innerHTML = '<input type="file" accept="audio/*" disabled><progress></progress><pre></pre>';
const [input, progress, output] = document.body.children;
const recognizer = await loadRecognizer("model/", {
  ort,
  onDownload: (loaded, total) => Object.assign(progress, { value: loaded, max: total ?? loaded }),
});
progress.hidden = true;
input.disabled = false;
input.onchange = async () => {
  const [file] = input.files;
  const transcript = await recognizer.transcribe(file, {
    words: true,
    onPartial: (text) => Object.assign(output, { textContent: text }),
  });
  const subtitles = transcriptWriter("vtt", file.name);
  output.textContent = subtitles.begin() + transcript.segments.map((piece) => subtitles.add(piece)).join("");
};
