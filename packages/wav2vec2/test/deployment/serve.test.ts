import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { openApi } from "../../src/serve/openapi.js";
import { STREAM_EVENT, TRANSCRIPTION, VERBOSE_TRANSCRIPTION } from "../../src/serve/transcription/schema.js";
import { toneClip } from "../fixtures/tone-corpus.js";
import { trainToneModel } from "../fixtures/trained-model.js";
import { answerTo, type Fields, getAs, post, type TestServer, testServer } from "./serve-fixture.js";

const run = promisify(execFile);
/** A Python with OpenAI's package: `pip install openai`. */
const python = process.env.OPENAI_PYTHON;

let directory: string;
let model: string;
let path: string;
let clip: Buffer;
/** Eight minutes, in which the clip's words are said again and again. */
let long: Buffer;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "serve-test-"));
  model = await trainToneModel(directory);
  path = join(directory, "clip.flac");
  clip = encodeFlac(toneClip("AB C", new Random(1, "clip")), 16000) as Buffer;
  writeFileSync(path, clip);
  long = encodeFlac(toneClip("AB C BA ACB CAB  ".repeat(188), new Random(2, "long")), 16000) as Buffer;
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A form of the clip with other fields. */
const form = (...fields: Fields): Fields => [["file", [clip, "clip.flac"]], ...fields];

/** What is refused, as status, code and blamed field. */
async function refused(answer: Promise<Response>): Promise<unknown[]> {
  const { status, ...rest } = await answer.then(async (response) => ({
    status: response.status,
    body: (await response.json()) as { error: Record<string, unknown> },
  }));
  const { message, type, param, code } = rest.body.error;
  expect([typeof message, typeof type]).toEqual(["string", "string"]);
  return [status, code, param];
}

async function metricsOf({ port }: TestServer): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Of an answer as it came over the connection. */
function errorOf(answer: string): Record<string, unknown> {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  const [, status] = /^HTTP\/1\.1 (\d+) /.exec(head) ?? [];
  const { error } = JSON.parse(body) as { error: Record<string, unknown> };
  expect(Object.keys(error)).toEqual(["message", "type", "param", "code"]);
  return { status: Number(status), ...error };
}

describe("an upload", () => {
  it("is answered in every form that OpenAI's interface has, with and without /v1", async () => {
    const server = await testServer(model);
    const body = async (...fields: Fields) => {
      const answer = await post(server, form(...fields));
      expect(answer.status).toBe(200);
      return [answer.headers.get("content-type"), await answer.text()] as const;
    };
    const short = TRANSCRIPTION.parse(JSON.parse((await body())[1]));
    expect(short).toEqual({ text: "AB C", usage: { type: "duration", seconds: 0.6 } });
    const verbose = async (...fields: Fields) =>
      VERBOSE_TRANSCRIPTION.parse(
        JSON.parse((await body(["response_format", "verbose_json"], ...fields))[1]),
      );
    const segments = await verbose(["language", "en"]);
    expect(segments).toMatchObject({ text: "AB C", language: "en", duration: 0.6 });
    expect(segments.segments).toMatchObject([{ id: 0, start: 0, end: 0.6, text: "AB C" }]);
    expect(segments.words).toBeUndefined();
    const words = await verbose(["timestamp_granularities[]", "word"]);
    expect([words.words?.map(({ word }) => word), words.segments]).toEqual([["AB", "C"], undefined]);
    const both = await verbose(
      ["timestamp_granularities[0]", "word"],
      ["timestamp_granularities", "segment"],
    );
    expect([both.words?.length, both.segments?.length]).toEqual([2, 1]);
    expect(await body(["response_format", "text"])).toEqual(["text/plain; charset=utf-8", "AB C\n"]);
    expect((await body(["response_format", "srt"]))[1]).toMatch(
      /^1\n00:00:00,0\d0 --> 00:00:00,\d{3}\nAB C\n/,
    );
    expect((await body(["response_format", "vtt"]))[1]).toMatch(/^WEBVTT\n\n00:00:00\.0\d0 --> /);
    const withLogprobs = TRANSCRIPTION.parse(JSON.parse((await body(["include[]", "logprobs"]))[1]));
    expect(withLogprobs.logprobs?.map(({ token }) => token)).toEqual(["A", "B", "C"]);
    expect((await post(server, form(), { path: "/audio/transcriptions" })).status).toBe(200);
    expect(server.lines.filter(({ event, status }) => event === "request" && status === 200)).toHaveLength(9);
  });

  it("comes as events while it is recognised, the same text", async () => {
    const server = await testServer(model);
    const fields: Fields = [["file", [long, "long.flac"]]];
    const whole = (await (await post(server, fields)).json()) as { text: string };
    const answer = await post(server, [...fields, ["stream", "true"]]);
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    const lines = (await answer.text()).split("\n").filter(Boolean);
    const events = lines.map((line) => STREAM_EVENT.parse(JSON.parse(line.replace(/^data: /, ""))));
    const deltas = events.flatMap((event) => (event.type === "transcript.text.delta" ? [event.delta] : []));
    expect(deltas.length).toBeGreaterThan(10);
    expect([deltas.join(""), events.at(-1)]).toEqual([
      whole.text,
      { type: "transcript.text.done", text: whole.text, usage: { type: "duration", seconds: 479.4 } },
    ]);
    expect(whole.text.replaceAll(" ", "").startsWith("ABCBAACBCAB".repeat(2))).toBe(true);
    expect(
      await refused(
        post(server, [
          ["file", [Buffer.from("x"), "a"]],
          ["stream", "true"],
        ]),
      ),
    ).toEqual([400, "ERR_AUDIO_FORMAT", "file"]);
  });

  it("may bring words to listen for, which are of its own", async () => {
    const server = await testServer(model);
    const text = async (...fields: Fields) =>
      ((await (await post(server, form(...fields))).json()) as { text: string }).text;
    expect(await text(["keywords[]", "ABC"])).toBe("ABC");
    expect(await text(["keywords", "ABC"], ["keywords", "CCC"])).toBe("ABC");
    expect(await text()).toBe("AB C");
    const wrong = post(server, form(["keywords[]", "zebra"]));
    expect(await refused(wrong)).toEqual([400, "ERR_CONFIGURATION", "keywords"]);
  });

  it("names a model, or any where there is one", async () => {
    const one = await testServer(model);
    for (const name of ["tone", "whisper-1", "../../etc/passwd", "x".repeat(200)])
      expect((await post(one, form(["model", name]))).status).toBe(200);
    expect(await refused(post(one, form(["model", "x".repeat(300)])))).toEqual([
      400,
      "invalid_value",
      "model",
    ]);
    const two = await testServer([
      ["first", model],
      ["team/second", model],
    ]);
    for (const name of ["team/second", "gpt-4o-mini-transcribe"])
      expect((await post(two, form(["model", name]))).status).toBe(200);
    for (const name of ["third", "../first", "__proto__"])
      expect(await refused(post(two, form(["model", name])))).toEqual([404, "model_not_found", "model"]);
    const get = async (at: string) => await (await fetch(`http://127.0.0.1:${two.port}${at}`)).json();
    expect(await get("/v1/models")).toMatchObject({
      object: "list",
      data: [{ id: "first" }, { id: "team/second" }],
    });
    expect(await get("/v1/models/team/second")).toMatchObject({ id: "team/second", object: "model" });
  });

  it("that is wrong is refused, with what is wrong", async () => {
    const server = await testServer(model, { limits: { maxSeconds: 60 } });
    const file = (bytes: Uint8Array, name = "a.wav"): Fields => [["file", [bytes, name]]];
    const cases: [Fields, unknown[]][] = [
      [file(Buffer.from("some text")), [400, "ERR_AUDIO_FORMAT", "file"]],
      [file(clip.subarray(0, 5000)), [400, "ERR_AUDIO_TRUNCATED", "file"]],
      [file(Buffer.alloc(0)), [400, "missing_file", "file"]],
      [[["model", "tone"]], [400, "missing_file", "file"]],
      [[["recording", [clip, "a.flac"]]], [400, "missing_file", "file"]],
      [form(["response_format", "xml"]), [400, "invalid_value", "response_format"]],
      [form(["response_format", "diarized_json"]), [400, "invalid_value", "response_format"]],
      [form(["timestamp_granularities[]", "word"]), [400, "invalid_value", "timestamp_granularities"]],
      [form(["stream", "true"], ["response_format", "srt"]), [400, "invalid_value", "stream"]],
      [form(["temperature", "warm"]), [400, "invalid_value", "temperature"]],
      [file(long, "long.flac"), [413, "recording_too_long", "file"]],
      [file(Buffer.alloc(21e6), "large.wav"), [413, "file_too_large", "file"]],
    ];
    for (const [fields, expected] of cases) expect(await refused(post(server, fields))).toEqual(expected);
    // A recording that unpacks to much more than it is: a day of silence in a hundred kilobytes would be the same.
    const silence = encodeFlac(new Float32Array(16000 * 120), 16000) as Buffer;
    expect(silence.length).toBeLessThan(40_000);
    expect(await refused(post(server, file(silence)))).toEqual([413, "recording_too_long", "file"]);
    const json = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    expect(await refused(fetch(`${server.url}v1/audio/transcriptions`, json))).toEqual([415, null, null]);
    expect(await refused(post(server, form(), { path: "/v1/audio/translations" }))).toEqual([
      400,
      "unsupported",
      null,
    ]);
    expect(await refused(fetch(`${server.url}v1/audio`))).toEqual([404, "unknown_url", null]);
    expect((await post(server, form())).status).toBe(200);
    expect(server.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("that never ends, says it is 5 GB or breaks off holds nothing up and leaves nothing behind", async () => {
    const head =
      "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n";
    const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.flac"\r\n\r\n';
    const first = await testServer(model);
    const { port } = first;
    const asked = answerTo(port, `${head}Expect: 100-continue\r\nContent-Length: 5000000000\r\n\r\n`);
    expect(await asked).toMatch(/^HTTP\/1\.1 413 [\s\S]*file_too_large/);
    const sent = answerTo(port, `${head}Content-Length: 5000000000\r\n\r\n${part}`, [
      Buffer.alloc(70 * 2 ** 20),
    ]);
    expect(await sent).toMatch(/^HTTP\/1\.1 413 /);
    const held = connect(port, "127.0.0.1");
    held.write(`${head}Content-Length: 20000\r\n\r\n${part}abc`);
    expect((await post(first, form())).status).toBe(200); // meanwhile
    held.destroy();
    const own = mkdtempSync(join(directory, "uploads-"));
    vi.stubEnv("TMPDIR", own);
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = await testServer(model, { requestSeconds: 1 });
    const uploads = () => readdirSync(join(own, readdirSync(own)[0]!));
    const stalled = answerTo(server.port, `${head}Content-Length: 20000\r\n\r\n${part}abc`);
    const slowHeaders = answerTo(server.port, "POST /v1/audio");
    for (const late of [stalled, slowHeaders])
      expect(errorOf(await late)).toMatchObject({ status: 408, code: "request_timeout", param: null });
    const broken = connect(server.port, "127.0.0.1");
    broken.write(`${head}Content-Length: 20000\r\n\r\n${part}abc`);
    await until(() => uploads().length > 0);
    broken.destroy();
    await until(() => uploads().length === 0);
    await server.close(1);
    expect(readdirSync(own)).toEqual([]);
  }, 60_000);
});

describe("clients", () => {
  it("of OpenAI in JavaScript", async () => {
    const server = await testServer(model, { token: "a secret token" });
    const client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "a secret token", maxRetries: 0 });
    const file = () => toFile(clip, "clip.flac");
    const { audio } = client;
    const request = { model: "gpt-4o-transcribe", file: await file() };
    expect((await audio.transcriptions.create(request)).text).toBe("AB C");
    const verbose = await audio.transcriptions.create({
      ...{ file: await file(), model: "whisper-1", response_format: "verbose_json" as const },
      timestamp_granularities: ["word", "segment"],
    });
    expect([verbose.words?.[0]?.word, verbose.segments?.[0]?.text, verbose.duration]).toEqual([
      "AB",
      "AB C",
      0.6,
    ]);
    const events: string[] = [];
    const stream = await audio.transcriptions.create({
      ...{ file: await file(), model: "tone", stream: true as const },
      chunking_strategy: { type: "server_vad", threshold: 0.5 },
    });
    for await (const event of stream) events.push(event.type);
    expect(events).toEqual(["transcript.text.delta", "transcript.text.done"]);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tone"]);
    const noAudio = audio.transcriptions.create({
      file: await toFile(Buffer.from("x"), "a.wav"),
      model: "tone",
    });
    await expect(noAudio).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    const stranger = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "another token", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });

  it("of the AI SDK", async () => {
    const server = await testServer(model);
    const program = fileURLToPath(new URL("ai-sdk-client.mjs", import.meta.url));
    const { stdout } = await run(process.execPath, [program, `${server.url}v1`, path]);
    expect(JSON.parse(stdout)).toEqual({ text: "AB C", seconds: 0.6, words: ["AB", "C"] });
  });

  it("curl", async () => {
    const server = await testServer(model);
    const url = `${server.url}v1/audio/transcriptions`;
    const args = ["-sS", "-F", `file=@${path}`, "-F", "response_format=text", url];
    expect((await run("curl", args)).stdout).toBe("AB C\n");
  });

  it.skipIf(python === undefined)("of OpenAI in Python, which OPENAI_PYTHON names", async () => {
    const server = await testServer(model);
    const program = fileURLToPath(new URL("../../../../reference/openai_client.py", import.meta.url));
    const { stdout } = await run(python!, [program, `${server.url}v1`, path]);
    expect(JSON.parse(stdout)).toEqual({
      json: "AB C",
      words: ["AB", "C"],
      srt: expect.stringContaining("AB C"),
      events: ["transcript.text.delta", "transcript.text.done"],
      models: ["tone"],
      error: 400,
    });
  });
});

describe("who may use the server", () => {
  it("who has the token, in a header; whether it runs is no secret", async () => {
    const server = await testServer(model, { token: "a secret token", host: "0.0.0.0" });
    const status = async (headers: Record<string, string>) =>
      (await post(server, form(), { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: "Bearer a secret tokem" })).toBe(401);
    expect(await status({ authorization: "Bearer a secret token" })).toBe(200);
    expect(await status({ "x-api-key": "a secret token" })).toBe(200);
    const statusOf = async (at: string) => (await fetch(`http://127.0.0.1:${server.port}${at}`)).status;
    expect(await Promise.all(["/health", "/ready", "/metrics", "/v1/models"].map(statusOf))).toEqual([
      200, 200, 401, 401,
    ]);
    expect((await getAs(server.port, "/health", { host: "asr.example" })).statusCode).toBe(200);
    expect(JSON.stringify(server.lines)).not.toContain("secret");
  });

  it("without one this machine alone, and no page of another site", async () => {
    const server = await testServer(model, { corsOrigins: ["https://friend.example"] });
    const status = async (headers: Record<string, string>) =>
      (await getAs(server.port, "/v1/models", headers)).statusCode;
    expect(await status({ host: "attacker.example" })).toBe(403);
    expect(await status({ host: `localhost:${server.port}` })).toBe(200);
    expect(await status({ host: "localhost", origin: "https://attacker.example" })).toBe(403);
    expect(await status({ host: "localhost", origin: "null" })).toBe(403);
    expect(
      await status({ host: `localhost:${server.port}`, origin: `http://localhost:${server.port}` }),
    ).toBe(200);
    const friend = await getAs(server.port, "/v1/models", {
      host: "localhost",
      origin: "https://friend.example",
    });
    expect(friend.headers["access-control-allow-origin"]).toBe("https://friend.example");
    const headers = { origin: "https://friend.example", "access-control-request-headers": "authorization" };
    const asked = await fetch(`${server.url}v1/audio/transcriptions`, { method: "OPTIONS", headers });
    expect([asked.status, asked.headers.get("access-control-allow-headers")]).toEqual([204, "authorization"]);
  });
});

describe("under load", () => {
  it("200 at once are all answered, some of them together, and /health meanwhile", async () => {
    const server = await testServer(model);
    const all = Promise.all(Array.from({ length: 200 }, () => post(server, form())));
    expect((await fetch(`${server.url}health`)).status).toBe(200);
    const texts = await Promise.all(
      (await all).map(async (answer) => ((await answer.json()) as { text: string }).text),
    );
    expect(new Set(texts)).toEqual(new Set(["AB C"]));
    const metrics = await metricsOf(server);
    const count = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(metrics)?.[1]);
    expect(count('wav2vec2_recordings_total\\{model="tone",kind="file",end="done"\\}')).toBe(200);
    // Each clip is a window, and there was one before they came.
    expect(count('wav2vec2_batch_windows_count\\{model="tone"\\}')).toBeLessThan(201);
  });

  it("a long recording keeps no short one waiting for its end", async () => {
    const server = await testServer(model);
    const order: string[] = [];
    const longs = [1, 2].map(async () => {
      await (await post(server, [["file", [long, "long.flac"]]])).text();
      order.push("long");
    });
    await until(async () => /recordings_running\{model="tone"\} 2/.test(await metricsOf(server)));
    await (await post(server, form())).text();
    order.push("short");
    await Promise.all(longs);
    expect(order).toEqual(["short", "long", "long"]);
  });

  it("who finds no place is told when to come back; who leaves makes room", async () => {
    const server = await testServer(model, { pool: { together: 1, queue: 1 } });
    const clients = [1, 2].map(() => new AbortController());
    const busy = clients.map(({ signal }) =>
      post(server, [["file", [long, "long.flac"]]], { signal }).catch(() => undefined),
    );
    const metric = (pattern: RegExp) => async () => pattern.test(await metricsOf(server));
    await until(metric(/recordings_waiting\{model="tone"\} 1/));
    const answer = await post(server, form());
    expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(((await answer.json()) as { error: unknown }).error).toMatchObject({ type: "rate_limit_error" });
    for (const client of clients) client.abort();
    await Promise.all(busy);
    await until(metric(/end="left"\} 2/));
    expect((await post(server, form())).status).toBe(200);
  });
});

describe("a server", () => {
  it("is ready after a real recognition, and describes itself as the file in docs does", async () => {
    const server = await testServer(model);
    expect(await (await fetch(`${server.url}ready`)).json()).toEqual({ status: "ready", models: ["tone"] });
    const description = await (await fetch(`${server.url}openapi.json`)).json();
    expect(description).toEqual(JSON.parse(JSON.stringify(openApi())));
    const file = fileURLToPath(new URL("../../../../docs/openapi.json", import.meta.url));
    expect(JSON.parse(readFileSync(file, "utf8")), "Run node scripts/openapi.mjs.").toEqual(description);
    const home = await fetch(server.url);
    expect([home.headers.get("content-type"), await home.text()]).toEqual([
      expect.stringContaining("text/html"),
      expect.stringContaining("/v1/audio/transcriptions"),
    ]);
  });

  it("shows a page from a directory, of which nothing else is given out", async () => {
    const page = mkdtempSync(join(directory, "page-"));
    writeFileSync(join(page, "index.html"), "<title>mine</title>");
    writeFileSync(join(page, "engine.wasm"), Buffer.from([0, 97, 115, 109]));
    writeFileSync(join(page, "model.onnx"), Buffer.alloc(5 * 2 ** 20, 1));
    writeFileSync(join(page, ".secret"), "secret");
    const server = await testServer(model, { page, token: "a secret token" });
    const root = await fetch(server.url);
    expect([await root.text(), root.headers.get("cross-origin-embedder-policy")]).toEqual([
      "<title>mine</title>",
      "require-corp",
    ]);
    const wasm = await fetch(`${server.url}engine.wasm`);
    expect([wasm.headers.get("content-type"), (await wasm.arrayBuffer()).byteLength]).toEqual([
      "application/wasm",
      4,
    ]);
    expect((await (await fetch(`${server.url}model.onnx`)).arrayBuffer()).byteLength).toBe(5 * 2 ** 20);
    for (const at of [".secret", "..%2f..%2fetc/passwd", "%2e%2e/clip.flac"])
      expect([401, 404]).toContain((await fetch(`${server.url}${at}`)).status);
  });

  it("loads its models anew while it answers, and keeps them where that fails", async () => {
    const copy = join(directory, "copy");
    await run("cp", ["-r", model, copy]);
    const server = await testServer(copy);
    const running = post(server, [["file", [long, "long.flac"]]]);
    await until(async () => /recordings_running\{model="tone"\} 1/.test(await metricsOf(server)));
    await server.reload();
    expect(server.lines.at(-1)).toMatchObject({ event: "reloaded", models: ["tone"] });
    expect((await running).status).toBe(200);
    rmSync(join(copy, "model.safetensors"));
    await server.reload();
    expect(server.lines.findLast(({ event }) => event === "reload-failed")).toMatchObject({ level: "error" });
    expect((await post(server, form())).status).toBe(200);
  });

  it("that ends finishes what runs, and takes nothing new", async () => {
    const server = await testServer(model);
    const running = post(server, [["file", [long, "long.flac"]]]);
    await until(async () => /recordings_running\{model="tone"\} 1/.test(await metricsOf(server)));
    const closing = server.close(60);
    await expect(post(server, form())).rejects.toThrow();
    const answer = await running;
    expect([answer.status, ((await answer.json()) as { text: string }).text.length > 100]).toEqual([
      200,
      true,
    ]);
    await closing;
  });
});

describe("requests that are none", () => {
  const get = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
  it.each([
    ["no HTTP", "hello there\r\n\r\n", 400, "malformed_request"],
    ["a header that is none", `${get}b\x00d: 1\r\n\r\n`, 400, "malformed_request"],
    ["two lengths", `${get}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, "malformed_request"],
    [
      "a chunk without a length",
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n`,
      400,
      "malformed_request",
    ],
    ["headers of 40 KB", `${get}A: ${"a".repeat(40_000)}\r\n\r\n`, 431, "headers_too_large"],
    ["another expectation", `${get}Expect: cake\r\n\r\n`, 417, "expectation_failed"],
    ["a tunnel", "CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "method_not_allowed"],
    ["no Host", "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "malformed_request"],
    [
      "a Host that is none",
      "GET /health HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n",
      400,
      "malformed_request",
    ],
    ["a half handshake", `${get}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 404, "unknown_url"],
    [
      "a WebSocket without its key",
      "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      400,
      "malformed_request",
    ],
  ])("get OpenAI's form: %s", async (_, bytes, status, code) => {
    const { port } = await testServer(model);
    const answer = errorOf(await answerTo(port, bytes));
    expect(answer).toMatchObject({
      status,
      code,
      type: status === 404 ? "not_found_error" : "invalid_request_error",
    });
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });

  it("do not take the answer of one before on the same connection", async () => {
    const { port, lines } = await testServer(model);
    const answers = await answerTo(port, `${get}\r\nnonsense\r\n\r\n`);
    const [first, second] = answers.split(/(?=HTTP\/1\.1 4)/) as [string, string];
    expect(first).toMatch(/^HTTP\/1\.1 200 [\s\S]*"ok"/);
    expect(errorOf(second)).toMatchObject({ status: 400, code: "malformed_request" });
    expect(lines.filter(({ event }) => event === "request-broken")).toMatchObject([{ status: 400 }]);
  });
});
