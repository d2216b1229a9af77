// A server that takes recordings out of a form, as browsers and `curl -F` send them: node examples/19-uploads.mjs MODEL PORT
//   curl -F recording=@a.flac -F recording=@b.mp3 http://localhost:8080/
// A body that is the recording itself needs no form, and is read as it comes: 12-server.mjs.
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { PoolError, recognizerPool, UserError } from "wav2vec2/recognition";

const [model, port = "8080"] = process.argv.slice(2);
const LARGEST = 100 * 2 ** 20; // bytes of a form, which is held in memory
const pool = await recognizerPool(model, { queue: 16 });

const server = createServer(async (request, response) => {
  const answer = (status = 200, json = {}) => {
    request.resume(); // what was not read of it
    response.writeHead(status, { "content-type": "application/json" });
    response.end(`${JSON.stringify(json)}\n`);
  };
  const { "content-type": type = "", "content-length": length } = request.headers;
  if (request.method !== "POST" || !type.startsWith("multipart/form-data"))
    return answer(415, { error: "POST a form (multipart/form-data) with files named recording." });
  if (length === undefined) return answer(411, { error: "The form must say how long it is." });
  if (Number(length) > LARGEST) return answer(413, { error: "The form is too large." });
  const gone = new AbortController(); // a client that leaves needs no answer
  response.once("close", () => gone.abort());
  const { signal } = gone;
  try {
    const body = new Response(Readable.toWeb(request), { headers: { "content-type": type } });
    const form = await body.formData().catch(() => undefined);
    if (form === undefined) return answer(400, { error: "The form must be whole, but cannot be read." });
    const files = form.getAll("recording").filter((entry) => entry instanceof File);
    if (files.length === 0) return answer(400, { error: "The form has no file named recording." });
    const told = [];
    // One after another: a form takes one place of the queue, however many files it has.
    for (const file of files)
      try {
        const { text, end } = await pool.transcribe(file, { signal }); // messages call it by the file's name
        told.push({ file: file.name, text, duration: end });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        told.push({ file: file.name, error: error.message, code: error.code });
      }
    answer(200, told);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof PoolError) return answer(503, { error: error.message, code: error.code }); // try again
    console.error(error);
    answer(500, { error: "Something went wrong." });
  }
});
server.listen(Number(port), () => {
  const address = server.address();
  console.log(`listening on http://localhost:${typeof address === "object" ? address?.port : address}`);
});
for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => server.close(() => pool.close()));
