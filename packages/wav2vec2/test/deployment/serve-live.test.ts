import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { MU_LAW } from "../../src/audio/wav/g711.js";
import { Random } from "../../src/data/random.js";
import { toneClip } from "../fixtures/tone-corpus.js";
import { trainToneModel } from "../fixtures/trained-model.js";
import { PROGRAM } from "../training/training-process.js";
import { type Message, pcm16, type TestServer, TestSocket, testServer } from "./serve-fixture.js";

let directory: string;
let model: string;
/** Words, a pause of 0.75 s, words. */
const TEXT = "AB C BA ACB     CAB AB C";
const samples = toneClip(TEXT, new Random(1, "live"));
const words = TEXT.replace(/ +/g, " ");
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "serve-live-"));
  model = await trainToneModel(directory);
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Sends in parts of some bytes, which divide samples too. */
function sendAll(socket: TestSocket, bytes: Buffer, part = 3333): void {
  for (let at = 0; at < bytes.length; at += part) socket.send(bytes.subarray(at, at + part));
}

const textOf = (socket: TestSocket) =>
  socket
    .of("final")
    .map(({ text }) => text)
    .join(" ");

describe("a plain WebSocket", () => {
  it("takes samples and gives words as they come, nothing lost at its end", async () => {
    const server = await testServer(model);
    const socket = await TestSocket.open(server.port, "/v1/stream?words=true");
    expect(await socket.until(({ type }) => type === "ready")).toMatchObject({
      model: "tone",
      sample_rate: 16000,
    });
    const half = pcm16(samples.subarray(0, 24000));
    sendAll(socket, half);
    const first = await socket.until(({ type }) => type === "partial"); // while it is being said
    expect(first.text).toMatch(/^AB C/);
    sendAll(socket, pcm16(samples).subarray(half.length));
    socket.send({ type: "end" });
    expect((await socket.closed).code).toBe(1000);
    expect(textOf(socket)).toBe(words);
    const finals = socket.of("final");
    expect(finals.length).toBe(2);
    expect(
      finals.flatMap((final) => (final.words as { text: string }[]).map(({ text }) => text)).join(" "),
    ).toBe(words);
    expect(socket.of("endpoint").length).toBeGreaterThan(0);
    expect(socket.messages.at(-1)).toEqual({ type: "done", duration: 3.6 });
  });

  it("takes other rates and codings, and words to listen for", async () => {
    const server = await testServer(model);
    const every = samples.filter((_, i) => i % 2 === 0); // tones lie far below
    const codes = Buffer.alloc(every.length);
    for (const [i, sample] of every.entries()) codes[i] = nearest(sample);
    const telephone = await TestSocket.open(server.port, "/stream?sample_rate=8000&encoding=mulaw");
    sendAll(telephone, codes);
    telephone.send({ type: "end" });
    await telephone.closed;
    expect(textOf(telephone)).toBe(words);
    const hotword = await TestSocket.open(server.port, "/stream?keywords=ABC&encoding=f32le");
    hotword.send(Buffer.from(toneClip("AB C", new Random(1, "clip")).buffer));
    hotword.send({ type: "end" });
    await hotword.closed;
    expect(textOf(hotword)).toBe("ABC");
  });

  it("without audio ends with no words", async () => {
    const server = await testServer(model);
    const socket = await TestSocket.open(server.port, "/stream");
    socket.send({ type: "end" });
    expect(await socket.closed).toEqual({ code: 1000 });
    expect(socket.messages.map(({ type }) => type)).toEqual(["ready", "done"]);
  });

  it("says what is wrong, before it is opened or as a message", async () => {
    const server = await testServer(model, { limits: { maxSockets: 2 } });
    const refused = (path: string) => TestSocket.open(server.port, path);
    await expect(refused("/v1/stream?sample_rate=x")).rejects.toMatchObject({ status: 400 });
    await expect(refused("/v1/stream?rate=16000")).rejects.toMatchObject({ status: 400 });
    await expect(refused("/v1/nothing")).rejects.toMatchObject({ status: 404 });
    const socket = await TestSocket.open(server.port, "/stream");
    socket.send({ type: "stop" });
    const { error } = await socket.until(({ type }) => type === "error");
    expect(error).toMatchObject({
      type: "invalid_request_error",
      message: expect.stringContaining('{"type":"end"}'),
    });
    const other = await TestSocket.open(server.port, "/stream");
    await expect(refused("/stream")).rejects.toMatchObject({ status: 429 });
    other.send(Buffer.alloc(17 * 2 ** 20)); // beyond the largest message
    expect((await other.closed).code).toBe(1009);
  });

  it("says which words to listen for cannot be spelled", async () => {
    const server = await testServer(model);
    const socket = await TestSocket.open(server.port, "/stream?keywords=zebra");
    socket.send(pcm16(samples));
    expect((await socket.closed).code).toBe(1008);
    expect(socket.of("error")).toMatchObject([{ error: { param: "keywords" } }]);
  });

  it("that is left gives its place to others", async () => {
    const server = await testServer(model, { pool: { together: 1, queue: 0 } });
    const socket = await TestSocket.open(server.port, "/stream");
    sendAll(socket, pcm16(samples));
    await socket.until(({ type }) => type === "partial");
    const second = await TestSocket.open(server.port, "/stream");
    sendAll(second, pcm16(samples));
    expect((await second.closed).code).toBe(1013); // there is no room
    socket.socket.terminate();
    for (;;) {
      const next = await TestSocket.open(server.port, "/stream");
      next.send(pcm16(samples));
      next.send({ type: "end" });
      if ((await next.closed).code === 1000) break;
    }
  });

  it("takes the token where browsers can send it, and no page of another site", async () => {
    const token = "a-secret-token";
    const server = await testServer(model, { token });
    const open = (path: string, options = {}) => TestSocket.open(server.port, path, options);
    await expect(open("/stream")).rejects.toMatchObject({ status: 401 });
    await expect(open("/stream?token=another-token")).rejects.toMatchObject({ status: 401 });
    const protocols = ["realtime", `openai-insecure-api-key.${token}`];
    expect((await open("/v1/realtime", { protocols })).socket.protocol).toBe("realtime");
    await open(`/stream?token=${token}`);
    await open("/stream", { headers: { authorization: `Bearer ${token}` } });
    const headers = { authorization: `Bearer ${token}`, origin: "https://attacker.example" };
    await expect(open("/stream", { headers })).rejects.toMatchObject({ status: 403 });
    expect(JSON.stringify(server.lines)).not.toContain(token);
  });

  it("gets the text of what came when the server ends", async () => {
    const server = await testServer(model);
    const socket = await TestSocket.open(server.port, "/stream");
    sendAll(socket, pcm16(samples));
    await socket.until(({ type }) => type === "partial");
    await server.close(30);
    expect((await socket.closed).code).toBe(1012);
    expect(textOf(socket)).toBe(words);
  });
});

/** The code of the nearest sample. */
function nearest(sample: number): number {
  let best = 0;
  for (let code = 1; code < 256; code++)
    if (Math.abs(MU_LAW[code]! - sample) < Math.abs(MU_LAW[best]! - sample)) best = code;
  return best;
}

type Event = Message & { delta?: string; transcript?: string; item_id?: string };

/** OpenAI's own client; it speaks TLS, which a proxy in front of the server would. */
async function realtime(server: TestServer) {
  const client = new OpenAI({ baseURL: `${server.url}v1`, apiKey: "none" });
  const createConnection = () => connect(server.port, "127.0.0.1");
  const socket = new OpenAIRealtimeWS({ model: "tone", options: { createConnection } as object }, client);
  onTestFinished(() => socket.close());
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  const take = (event: unknown) => {
    events.push(event as Event);
    for (const look of waiting) look();
  };
  socket.on("event", take);
  socket.on("error", () => {}); // is an event too
  const until = (holds: (event: Event) => boolean) =>
    new Promise<Event>((resolve) => {
      const look = () => {
        const found = events.find(holds);
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
    });
  await until(({ type }) => type === "session.created");
  return { socket, events, until };
}

/** At 24 kHz, as OpenAI's clients send it: samples repeated do for tones. */
const at24k = pcm16(
  Float32Array.from({ length: samples.length * 1.5 }, (_, i) => samples[Math.floor(i / 1.5)]!),
);

describe("OpenAI's realtime client", () => {
  it("appends and commits, and gets the text in deltas", async () => {
    const server = await testServer(model);
    const { socket, events, until } = await realtime(server);
    const input = { transcription: { model: "whisper-1" as const }, turn_detection: null };
    socket.send({ type: "session.update", session: { type: "transcription", audio: { input } } });
    for (let at = 0; at < at24k.length; at += 4800)
      socket.send({
        type: "input_audio_buffer.append",
        audio: at24k.subarray(at, at + 4800).toString("base64"),
      });
    socket.send({ type: "input_audio_buffer.commit" });
    const done = await until(({ type }) => type.endsWith("transcription.completed"));
    expect(done).toMatchObject({ transcript: words, usage: { type: "duration", seconds: 3.6 } });
    const deltas = events.filter(({ type }) => type.endsWith("transcription.delta"));
    expect(deltas.map(({ delta }) => delta).join("")).toBe(words);
    expect(new Set([...deltas, done].map(({ item_id }) => item_id)).size).toBe(1);
    socket.send({ type: "input_audio_buffer.commit" });
    const error = await until(({ type }) => type === "error");
    expect(error.error).toMatchObject({ code: "input_audio_buffer_commit_empty" });
  });

  it("lets pauses divide what is said into items", async () => {
    const server = await testServer(model);
    const { socket, events, until } = await realtime(server);
    socket.send({ type: "input_audio_buffer.append", audio: at24k.toString("base64") });
    const first = await until(({ type }) => type.endsWith("transcription.completed"));
    expect(first.transcript).toBe("AB C BA ACB");
    socket.send({ type: "input_audio_buffer.commit" });
    await until(
      ({ type, transcript }) => type.endsWith("transcription.completed") && transcript === "CAB AB C",
    );
    const items = events.filter(({ type }) => type === "input_audio_buffer.committed");
    expect(items.map(({ previous_item_id }) => previous_item_id)).toEqual([null, items[0]!.item_id]);
    const ends = events
      .filter(({ type }) => /speech_st/.test(type))
      .map(({ type }) => type.replace(/.*speech_/, ""));
    expect(ends).toEqual(["started", "stopped", "started", "stopped"]);
    socket.send({ type: "input_audio_buffer.append", audio: at24k.toString("base64") });
    socket.send({ type: "input_audio_buffer.clear" });
    await until(({ type }) => type === "input_audio_buffer.cleared");
  });

  it("is told what is wrong with an event", async () => {
    const server = await testServer([
      ["tone", model],
      ["other", model],
    ]);
    const socket = await TestSocket.open(server.port, "/v1/realtime");
    const errors = async (message: unknown, count: number) => {
      socket.send(message);
      while (socket.of("error").length < count) await new Promise((resolve) => setTimeout(resolve, 5));
      return (socket.of("error").at(-1)!.error as { message: string }).message;
    };
    expect(await errors({ type: "response.create" }, 1)).toContain("type is wrong");
    expect(await errors({ type: "input_audio_buffer.append", audio: "no base64!" }, 2)).toContain("base64");
    expect(await errors(Buffer.from("{"), 3)).toContain("JSON");
    const session = { audio: { input: { transcription: { model: "third" } } } };
    expect(await errors({ type: "session.update", session }, 4)).toContain("must be tone or other");
  });
});

describe("the command", () => {
  /** Starts it; `said` is what it has written. */
  async function start(...args: string[]) {
    const child: ChildProcess = spawn(process.execPath, [PROGRAM, "serve", ...args], { cwd: directory });
    onTestFinished(() => void child.kill("SIGKILL"));
    const said = { out: "", log: "" };
    child.stdout!.on("data", (data) => {
      said.out += data;
    });
    child.stderr!.on("data", (data) => {
      said.log += data;
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    await new Promise<void>((resolve) => {
      child.stdout!.on("data", () => /http:/.test(said.out) && resolve());
      void ended.then(() => resolve());
    });
    return { child, said, ended };
  }

  it("serves models by name, logs lines of JSON, loads anew at SIGHUP and ends at SIGTERM", async () => {
    writeFileSync(join(directory, "token"), "a-token-of-a-file\n");
    const { child, said, ended } = await start(
      "run/best",
      `b=${model}`,
      "--port",
      "0",
      "--token-file",
      "token",
      "--threads",
      "1",
    );
    expect(said.out).toMatch(/^Serving run, b at http:\/\/127\.0\.0\.1:\d+\/v1\n/);
    const url = /http:\S+/.exec(said.out)![0];
    const headers = { authorization: "Bearer a-token-of-a-file" };
    const { data } = (await (await fetch(`${url}/models`, { headers })).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(["run", "b"]);
    child.kill("SIGHUP");
    while (!said.log.includes('"reloaded"')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    const lines = said.log.split("\n").filter((line) => line.startsWith("{"));
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["request", "reloaded"]);
  });

  it("wants a token where others reach it, and models that are there", async () => {
    const open = await start(model, "--host", "0.0.0.0", "--port", "0");
    expect([await open.ended, open.said.log]).toEqual([2, expect.stringContaining("WAV2VEC2_TOKEN")]);
    const missing = await start("nowhere/best", "--port", "0");
    expect(await missing.ended).toBe(1);
    const twice = await start(model, model, "--port", "0");
    expect([await twice.ended, twice.said.log]).toEqual([2, expect.stringContaining("NAME=")]);
  });
});
