// What clients of `wav2vec2 serve` get: recordings a second one by one and many at once, how long each takes, and how soon live
// words come. soak.mjs loads it for longer. How many cores the server, the clients and all else computed on says what limits it.
//   node benchmarks/serve.mjs throughput [MODEL|small|base] [-- OPTIONS OF serve]
//   node benchmarks/serve.mjs live [MODEL|small|base] [-- OPTIONS]
// Weights of small and base are random: times and bytes are those of trained ones of the size.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request as open } from "node:http";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { makeModel, recording } from "./server-load.mjs";

const PROGRAM = fileURLToPath(new URL("../packages/wav2vec2/bin/wav2vec2.js", import.meta.url));
const RATE = 16000;
const MB = 2 ** 20;
const AT_ONCE = 32;

/** The server, in a process of its own. */
async function serve(model, options) {
  const child = spawn(process.execPath, [PROGRAM, "serve", model, "--port", "0", ...options], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await new Promise((found, failed) => {
    child.stdout.on("data", (line) => {
      const address = /http:\S+/.exec(String(line));
      if (address) found(address[0]);
    });
    child.once("exit", (code) => failed(new Error(`The server ended with ${code}.`)));
  });
  return { child, url: url.replace("127.0.0.1", "localhost") };
}

const agent = new Agent({ keepAlive: true });

/** A recording as the body of a form. */
function form(bytes) {
  const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.flac"\r\n\r\n';
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n--x--\r\n")]);
}

/** @returns milliseconds */
function post(url, body) {
  const begin = performance.now();
  const headers = { "content-type": "multipart/form-data; boundary=x", "content-length": body.length };
  return new Promise((resolve, reject) => {
    const request = open(`${url}/audio/transcriptions`, { method: "POST", agent, headers }, (response) => {
      response.resume().once("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - begin);
        else reject(new Error(`The server answered ${response.statusCode}.`));
      });
    });
    request.once("error", reject).end(body);
  });
}

/** Posts bodies one after another from so many clients for so long. */
async function load(url, bodies, clients, seconds) {
  const times = [];
  const end = performance.now() + 1000 * seconds;
  const begin = performance.now();
  let next = 0;
  const client = async () => {
    while (performance.now() < end) times.push(await post(url, bodies[next++ % bodies.length]));
  };
  await Promise.all(Array.from({ length: clients }, client));
  const elapsed = (performance.now() - begin) / 1000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))];
  return { rate: times.length / elapsed, median: at(0.5), most: at(0.99), count: times.length, elapsed };
}

async function metric(url, name) {
  const text = await (await fetch(url.replace(/\/v1$/, "/metrics"))).text();
  return Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
}
const memory = async (url) => Math.round((await metric(url, "process_resident_memory_bytes")) / MB);

/** Seconds that were computed so far: by the server, by its clients, which are this process, and by none. */
async function computed(url) {
  const { user, system } = process.cpuUsage();
  const idle = cpus().reduce((sum, { times }) => sum + times.idle, 0);
  return {
    server: await metric(url, "process_cpu_seconds_total"),
    clients: (user + system) / 1e6,
    idle: idle / 1000,
  };
}

async function throughput(url, clips) {
  console.log(
    `| clients | recordings a second | median ms | 99 % | processor ms a recording | of ${availableParallelism()} cores: server | clients | idle | memory MB |`,
  );
  console.log(`|${"---|".repeat(9)}`);
  await load(url, clips, AT_ONCE, 3); // what is new is slow
  const rates = {};
  for (const clients of [1, AT_ONCE, 1, AT_ONCE]) {
    const before = await computed(url);
    const { rate, median, most, count, elapsed } = await load(url, clips, clients, 8);
    const after = await computed(url);
    const each = (1000 * (after.server - before.server)) / count;
    const cores = ["server", "clients", "idle"].map((who) =>
      ((after[who] - before[who]) / elapsed).toFixed(2),
    );
    rates[clients] = [...(rates[clients] ?? []), rate];
    console.log(
      `| ${clients} | ${rate.toFixed(1)} | ${median.toFixed(0)} | ${most.toFixed(0)} | ${each.toFixed(0)} | ${cores.join(" | ")} | ${await memory(url)} |`,
    );
  }
  const mean = (all) => all.reduce((sum, each) => sum + each, 0) / all.length;
  console.log(`${AT_ONCE} at once: ${(mean(rates[AT_ONCE]) / mean(rates[1])).toFixed(2)} times one by one`);
}

/** Sends a recording as fast as it is spoken. */
async function live(url, samples) {
  const pcm = Buffer.from(Int16Array.from(samples, (sample) => 32767 * sample).buffer);
  const socket = new WebSocket(`${url.replace("http", "ws")}/stream`);
  const partials = [];
  await new Promise((opened) => socket.once("open", opened));
  const begin = performance.now();
  let last;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("message", (data) => {
    const { type } = JSON.parse(data);
    if (type === "partial") partials.push(performance.now() - begin);
    if (type === "done") last = performance.now() - begin;
  });
  const step = 640; // 20 ms
  for (let at = 0; at < pcm.length; at += step) {
    socket.send(pcm.subarray(at, at + step));
    await wait(Math.max(0, begin + at / 32 - performance.now()));
  }
  socket.send('{"type":"end"}');
  await closed;
  const seconds = (1000 * samples.length) / RATE;
  console.log(
    `first partial ${partials[0]?.toFixed(0)} ms after the first sample, ${partials.length} partials, done ${(last - seconds).toFixed(0)} ms after the last sample`,
  );
}

const given = process.argv.slice(2);
const divider = given.includes("--") ? given.indexOf("--") : given.length;
const [command = "throughput", model = "small"] = given.slice(0, divider);
const options = given.slice(divider + 1);
const directory = await mkdtemp(join(tmpdir(), "serve-"));
try {
  const { encodeFlac } = await import("wav2vec2/recognition");
  const isSize = model === "small" || model === "base";
  if (isSize) await makeModel(directory, model);
  const { child, url } = await serve(isSize ? directory : model, options);
  try {
    const lengths = [2, 2.5, 3, 3.5, 4, 5, 6, 8];
    const clips = lengths.map((length) => form(encodeFlac(recording(length), RATE)));
    if (command === "live") for (let i = 0; i < 3; i++) await live(url, recording(8));
    else await throughput(url, clips);
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    await ended;
  }
} finally {
  agent.destroy();
  await rm(directory, { recursive: true });
}
