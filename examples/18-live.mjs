// What is being said, while it is said: blocks of a microphone to text that is settled piece by piece, with the words so far.
//   arecord -q -f S16_LE -r 16000 -c 1 -t raw | node examples/18-live.mjs MODEL                     Linux
//   ffmpeg -v error -f avfoundation -i :0 -ac 1 -ar 16000 -f s16le - | node examples/18-live.mjs MODEL   macOS
import { LIVE_WINDOWS, loadRecognizer } from "wav2vec2/recognition";

const [model] = process.argv.slice(2);
const recognizer = await loadRecognizer(model);
const line = process.stdout.isTTY ? "\r\x1b[K" : ""; // on a terminal one line is written again and again
const end = process.stdout.isTTY ? "" : "\n";
process.on("SIGINT", () => {}); // Ctrl+C ends the recording program; what was said until then is still recognised

// A stream of bytes, here. From a WebSocket it may as well be an asynchronous iterable of Float32Arrays at 16 kHz, without `raw`.
const pieces = recognizer.stream(process.stdin, {
  raw: { encoding: "s16le", sampleRate: 16000, channels: 1 },
  windows: LIVE_WINDOWS, // a second at a time
  words: true,
  onPartial: (text) => void process.stdout.write(`${line}… ${text}${end}`),
});
for await (const { text, words } of pieces) {
  const first = words.at(0)?.start.toFixed(2) ?? "";
  if (text) process.stdout.write(`${line}${first} s  ${text}\n`);
}
