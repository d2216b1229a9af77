// Transcribe what is posted, a JSON line for each stretch of speech as it is heard: node examples/12-server.mjs MODEL PORT
//   curl --data-binary @clip.flac http://localhost:8080
import { createServer } from "node:http";
import { loadRecognizer, streamPcm, UserError } from "wav2vec2";

const [model, port = "8080"] = process.argv.slice(2);
const recognizer = await loadRecognizer(model); // once, for all requests
const server = createServer(async (request, response) => {
  try {
    const name = "the recording"; // FLAC, WAV, MP3, Ogg Opus or Vorbis, told by its content
    for await (const { text, start, end } of recognizer.listen(streamPcm(request, { name }), { name })) {
      if (text) response.write(`${JSON.stringify({ text, start, end })}\n`);
    }
  } catch (error) {
    if (!response.headersSent) response.statusCode = error instanceof UserError ? 400 : 500;
    response.write(`${JSON.stringify({ error: error.message })}\n`);
  }
  response.end();
});
server.listen(Number(port), () => console.log(`listening on http://localhost:${server.address().port}`));
