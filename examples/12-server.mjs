// A server that transcribes what is posted, in threads of its own: node examples/12-server.mjs MODEL PORT
//   curl --data-binary @clip.flac http://localhost:8080/transcribe
//   curl http://localhost:8080/health
import { createServer } from "node:http";
import { PoolError, recognizerPool, UserError } from "wav2vec2/recognition";

const [model, port = "8080"] = process.argv.slice(2);
const LARGEST = 100 * 2 ** 20; // bytes of a recording
const pool = await recognizerPool(model, { queue: 16 }); // once, for all requests

class TooLarge extends Error {}

const server = createServer(async (request, response) => {
  const answer = (status = 200, json = {}) => {
    response.writeHead(status, {
      "content-type": "application/json",
      ...(status === 429 && { "retry-after": "5" }),
    });
    response.end(`${JSON.stringify(json)}\n`);
  };
  if (request.url === "/health") return answer(200, pool.stats());
  if (request.method !== "POST") return answer(404, { error: "POST a recording." });
  const gone = new AbortController(); // a client that leaves needs no answer
  response.once("close", () => gone.abort());

  /** The request's bytes as they come, up to a size. */
  async function* body() {
    let size = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        size += chunk.length;
        if (size > LARGEST) throw new TooLarge("The recording is too large.");
        yield chunk;
      }
    } finally {
      request.resume(); // what nobody reads: a request that is destroyed gets no answer
    }
  }

  try {
    // FLAC, WAV, MP3, Ogg, WebM of a browser: told by its content.
    const options = { name: "the recording", words: true, signal: gone.signal };
    const { text, end, words } = await pool.transcribe(body(), options);
    answer(200, { text, duration: end, words });
  } catch (error) {
    if (gone.signal.aborted) return; // what logs call 499
    if (error instanceof TooLarge) return answer(413, { error: error.message, code: "ERR_TOO_LARGE" });
    if (error instanceof PoolError || error instanceof UserError) {
      const { message, code } = error;
      const told = { error: message, code };
      if (code === "ERR_POOL_BUSY") return answer(429, told);
      if (code === "ERR_POOL_IDLE") return answer(408, told);
      if (error instanceof PoolError) return answer(503, told);
      if (code.startsWith("ERR_AUDIO_")) return answer(400, told); // the client's fault
    }
    console.error(error);
    answer(500, { error: "Something went wrong." });
  }
});
server.listen(Number(port), () => {
  const address = server.address();
  console.log(`listening on http://localhost:${typeof address === "object" ? address?.port : address}`);
});

// Requests that are there are answered, then the threads end, and with them the process.
for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => server.close(() => pool.close()));
