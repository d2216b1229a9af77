// A server that transcribes what is posted, in threads of its own: node examples/12-server.mjs MODEL PORT
//   curl --data-binary @clip.flac http://localhost:8080/transcribe
//   curl http://localhost:8080/health
import { createServer } from "node:http";
import { PoolError, recognizerPool, UserError } from "wav2vec2/recognition";

const [model, port = "8080"] = process.argv.slice(2);
const LARGEST = 100 * 2 ** 20; // bytes of a recording
const pool = await recognizerPool(model, { queue: 16 }); // once, for all requests

/** What went wrong, for HTTP: the client's fault, too much at once, or this server's. */
function statusOf(error) {
  if (error.code === "ERR_POOL_BUSY") return 429;
  if (error.code === "ERR_POOL_IDLE") return 408;
  if (error instanceof PoolError) return 503;
  if (error.code === "ERR_TOO_LARGE") return 413;
  return error instanceof UserError && error.code.startsWith("ERR_AUDIO_") ? 400 : 500;
}

/** The request's bytes as they come, up to a size. */
async function* body(request) {
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > LARGEST)
        throw Object.assign(new Error("The recording is too large."), { code: "ERR_TOO_LARGE" });
      yield chunk;
    }
  } finally {
    request.resume(); // what nobody reads: a request that is destroyed gets no answer
  }
}

function answer(response, status, json) {
  response.writeHead(status, {
    "content-type": "application/json",
    ...(status === 429 && { "retry-after": "5" }),
  });
  response.end(`${JSON.stringify(json)}\n`);
}

const server = createServer(async (request, response) => {
  if (request.url === "/health") return answer(response, 200, pool.stats());
  if (request.method !== "POST") return answer(response, 404, { error: "POST a recording." });
  const gone = new AbortController(); // a client that leaves needs no answer
  response.once("close", () => gone.abort());
  try {
    // FLAC, WAV, MP3, Ogg, WebM of a browser: told by its content.
    const options = { name: "the recording", words: true, signal: gone.signal };
    const { text, end, words } = await pool.transcribe(body(request), options);
    answer(response, 200, { text, duration: end, words });
  } catch (error) {
    if (gone.signal.aborted) return; // what logs call 499
    const status = statusOf(error);
    if (status === 500) console.error(error);
    answer(response, status, {
      error: status === 500 ? "Something went wrong." : error.message,
      code: error.code,
    });
  }
});
server.listen(Number(port), () => console.log(`listening on http://localhost:${server.address().port}`));

// Requests that are there are answered, then the threads end, and with them the process.
for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => server.close(() => pool.close()));
