// Loads `wav2vec2 serve` for a long time with what servers get: uploads of several lengths and forms of answer, live audio over
// both kinds of sockets, broken requests, clients that leave. What comes back is checked, and memory, latency and errors are told
// once a minute; at the end the growth of memory, /health under load and how it ends.
//   npm run build && node benchmarks/soak.mjs [MODEL|small|base] [--minutes 10] [--clients 16] [--log FILE] [-- OPTIONS OF serve]
// Weights of small and base are random: times and bytes are those of trained ones of the size.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request as open } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import WebSocket from "ws";
import { RunningClock } from "./running-clock.mjs";
import { makeModel, recording } from "./server-load.mjs";

const PROGRAM = fileURLToPath(new URL("../packages/wav2vec2/bin/wav2vec2.js", import.meta.url));
const RATE = 16000;
const MB = 2 ** 20;
const HEALTH_MS = 250;
/** A server that does not answer for so long is said to hang. */
const PATIENCE_MS = 60_000;

const given = process.argv.slice(2);
const divider = given.includes("--") ? given.indexOf("--") : given.length;
const { values, positionals } = parseArgs({
  args: given.slice(0, divider),
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    clients: { type: "string", default: "16" },
    every: { type: "string", default: "60" },
    log: { type: "string" },
  },
});
const [model = "small"] = positionals;

/** What came of each kind of request since it was last told. */
const seen = new Map();
let wrongs = 0;
let requests = 0;
const clock = new RunningClock();
let began = 0;

/** Told at once, with when it was: what the server's log says of that moment belongs to it. */
function fail(fault, begin) {
  const isStop = clock.hasStoppedSince(begin);
  if (!isStop) wrongs++;
  const after = ((clock.now() - began) / 1000).toFixed(0);
  console.error(
    `${new Date().toISOString()} after ${after} s: ${fault}${isStop ? " (both were stopped)" : ""}`,
  );
}

function note(kind, begin, fault) {
  requests++;
  const times = seen.get(kind) ?? [];
  seen.set(kind, times);
  times.push(clock.now() - begin);
  if (fault !== undefined) fail(`${kind}, ${(times.at(-1) / 1000).toFixed(1)} s: ${fault}`, begin);
}

const agent = new Agent({ keepAlive: true });

/** @returns what it was answered with */
function post(url, fields, bytes, { leaveAfter } = {}) {
  const head = fields.map(
    ([name, value]) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.flac"\r\n\r\n';
  const body = Buffer.concat([Buffer.from(head.join("") + file), bytes, Buffer.from("\r\n--x--\r\n")]);
  const headers = { "content-type": "multipart/form-data; boundary=x", "content-length": body.length };
  return new Promise((resolve, reject) => {
    const request = open(`${url}audio/transcriptions`, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (data) => {
        text += data;
      });
      response.once("end", () => resolve({ status: response.statusCode, text }));
    });
    request.once("error", (error) =>
      leaveAfter === undefined ? reject(error) : resolve({ status: 0, text: "" }),
    );
    request.end(body);
    if (leaveAfter !== undefined) setTimeout(() => request.destroy(new Error("left")), leaveAfter);
  });
}

/** Bytes as they are, on a connection of their own. */
function raw(url, bytes) {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
    socket.write(bytes);
  });
}

const pcm = (samples) => Buffer.from(Int16Array.from(samples, (sample) => 32767 * sample).buffer);

/** Audio over a socket, four times as fast as it is spoken. @returns the last message's type */
function live(url, path, messages, isLast) {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`);
  return new Promise((resolve, reject) => {
    let last = "";
    socket.once("open", async () => {
      for (const message of messages) {
        if (socket.readyState !== WebSocket.OPEN) break;
        socket.send(message);
        await wait(25);
      }
    });
    socket.on("message", (data) => {
      last = JSON.parse(data).type;
      if (isLast(last)) socket.close();
    });
    socket.once("close", () => resolve(last));
    socket.once("error", reject);
  });
}

function kindsOf(url, clips) {
  const any = () => clips[Math.floor(Math.random() * clips.length)];
  const expectStatus = (wanted, { status, text }) =>
    [wanted].flat().includes(status) ? undefined : `${status} ${text.slice(0, 200)}`;
  const block = pcm(recording(0.1));
  const spoken = Array.from({ length: 30 }, () => block);
  return {
    json: async () => expectStatus([200, 429], await post(url, [], any())),
    verbose: async () => {
      const fields = [
        ["response_format", "verbose_json"],
        ["timestamp_granularities[]", "word"],
      ];
      return expectStatus([200, 429], await post(url, fields, any()));
    },
    keywords: async () => expectStatus([200, 429], await post(url, [["keywords[]", "HELLO"]], any())),
    "events of a stream": async () => expectStatus([200, 429], await post(url, [["stream", "true"]], any())),
    "no audio": async () =>
      expectStatus([400, 429], await post(url, [], Buffer.from("These are notes. ".repeat(99)))),
    "half a file": async () => expectStatus([400, 429], await post(url, [], any().subarray(0, 3000))),
    "a client that leaves": async () =>
      void (await post(url, [], any(), { leaveAfter: 20 + 200 * Math.random() })),
    "no HTTP": async () => {
      const answer = await raw(url, "nonsense\r\n\r\n");
      return /^HTTP\/1\.1 400 [\s\S]*malformed_request/.test(answer) ? undefined : answer;
    },
    "live, plain": async () => {
      const last = await live(url, "stream", [...spoken, '{"type":"end"}'], (type) => type === "done");
      return last === "done" ? undefined : `ended with ${last}`;
    },
    "live, OpenAI's": async () => {
      const append = JSON.stringify({ type: "input_audio_buffer.append", audio: block.toString("base64") });
      const begin = {
        type: "session.update",
        session: { type: "transcription", audio: { input: { turn_detection: null } } },
      };
      const end = JSON.stringify({ type: "input_audio_buffer.commit" });
      const messages = [JSON.stringify(begin), ...spoken.map(() => append), end];
      const last = await live(url, "realtime?intent=transcription", messages, (type) =>
        /completed|failed/.test(type),
      );
      return last.endsWith("completed") ? undefined : `ended with ${last}`;
    },
  };
}

async function start(directory, options) {
  const child = spawn(process.execPath, [PROGRAM, "serve", directory, "--port", "0", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let faults = "";
  if (values.log) child.stderr.pipe(createWriteStream(values.log));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    for (const line of text.split("\n")) if (line.includes('"level":"error"')) faults += `${line}\n`;
  });
  const url = await new Promise((found, failed) => {
    child.stdout.on("data", (line) => {
      const address = /http:\S+v1/.exec(String(line));
      if (address) found(`${address[0].replace("127.0.0.1", "localhost")}/`);
    });
    child.once("exit", (code) => failed(new Error(`The server ended with ${code}.\n${faults}`)));
  });
  return { child, url, faults: () => faults };
}

/** What a page of the server's own answers; what goes wrong is noted, and the run goes on. */
async function look(path, url) {
  const begin = clock.now();
  try {
    const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.status !== 200) fail(`${path}: ${response.status}`, begin);
    return await response.text();
  } catch (error) {
    fail(`${path}: ${error.message} ${error.cause?.message ?? ""}`, begin);
    return "";
  }
}

async function memory(url) {
  const text = await look("/metrics", url);
  const value = (name) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
  return {
    rss: value("process_resident_memory_bytes") / MB,
    heap: value("nodejs_heap_size_used_bytes") / MB,
  };
}

const at = (all, share) => all.toSorted((a, b) => a - b)[Math.floor(share * (all.length - 1))] ?? Number.NaN;
const ms = (value) => (Number.isNaN(value) ? "" : value.toFixed(0));

/** By how much a line through the second half of the points rises, in MB an hour. */
function slope(points) {
  const half = points.slice(points.length >> 1);
  const mean = (of) => half.reduce((sum, point) => sum + of(point), 0) / half.length;
  const [x, y] = [mean(([hours]) => hours), mean(([, rss]) => rss)];
  const above = half.reduce((sum, [hours, rss]) => sum + (hours - x) * (rss - y), 0);
  return above / half.reduce((sum, [hours]) => sum + (hours - x) ** 2, 0);
}

const temporary = await mkdtemp(join(tmpdir(), "soak-"));
let server;
try {
  const { encodeFlac } = await import("wav2vec2/recognition");
  const isSize = model === "small" || model === "base";
  if (isSize) await makeModel(temporary, model);
  server = await start(isSize ? temporary : model, given.slice(divider + 1));
  const { url, child } = server;
  const clips = [2, 3, 4, 6, 8, 40].map((length) => Buffer.from(encodeFlac(recording(length), RATE)));
  const kinds = Object.entries(kindsOf(url, clips));
  began = clock.now();
  let end = began + 60_000 * Number(values.minutes);
  child.once("exit", (code, signal) => {
    if (clock.now() < end)
      fail(`the server ended by itself with ${code ?? signal}`, Number.POSITIVE_INFINITY);
    end = 0;
  });
  let next = 0;
  const client = async () => {
    while (clock.now() < end) {
      const [kind, send] = kinds[next++ % kinds.length];
      const begin = clock.now();
      await send().then(
        (fault) => note(kind, begin, fault),
        (error) => note(kind, begin, error.message),
      );
    }
  };
  const health = [];
  const watch = async () => {
    while (clock.now() < end) {
      const begin = clock.now();
      await look("/health", url);
      health.push(clock.now() - begin);
      await wait(HEALTH_MS);
    }
  };
  const points = [];
  console.log(
    "| after, min | requests | json median ms | 99 % | /health median ms | 99 % | memory MB | JavaScript MB | wrong |",
  );
  console.log(`|${"---|".repeat(9)}`);
  const tell = async () => {
    const { rss, heap } = await memory(url);
    const hours = (clock.now() - began) / 3_600_000;
    if (!Number.isNaN(rss)) points.push([hours, rss]);
    const json = seen.get("json") ?? [];
    console.log(
      `| ${(60 * hours).toFixed(1)} | ${requests} | ${ms(at(json, 0.5))} | ${ms(at(json, 0.99))} | ${ms(at(health, 0.5))} | ${ms(at(health, 0.99))} | ` +
        `${rss.toFixed(0)} | ${heap.toFixed(0)} | ${wrongs} |`,
    );
    seen.clear();
    health.length = 0;
  };
  const told = (async () => {
    while (clock.now() < end) {
      await wait(Math.min(1000 * Number(values.every), Math.max(0, end - clock.now())));
      await tell();
    }
  })();
  await Promise.all([...Array.from({ length: Number(values.clients) }, client), watch(), told]);
  if (points.length > 3) console.log(`growth of the second half: ${slope(points).toFixed(0)} MB an hour`);
  if (clock.stops > 0) console.log(`stopped ${clock.stops} times, which is not counted`);
  const last = post(url, [], clips[0]).catch((error) => ({ status: error.message }));
  await wait(20);
  const stopped = performance.now();
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  child.kill("SIGTERM");
  const [code, { status }] = await Promise.all([ended, last]);
  console.log(
    `SIGTERM: the request at work got ${status}, exit code ${code} after ${((performance.now() - stopped) / 1000).toFixed(1)} s`,
  );
  if (server.faults()) console.log(`faults in the log:\n${server.faults().slice(0, 4000)}`);
  if (wrongs > 0 || server.faults() || code !== 0) process.exitCode = 1;
} finally {
  agent.destroy();
  clock.end();
  if (server?.child.exitCode === null) server.child.kill("SIGKILL");
  await rm(temporary, { recursive: true });
}
