// What a server's clients feel: how long /health takes while four recordings of a minute are transcribed, by a recogniser in
// the server's own thread and by a pool; and what a pool's threads take beside threads that each load the model.
//   node benchmarks/server.mjs latency [base|small] [THREADS] [idle|own|pool]
//   node benchmarks/server.mjs memory [base|small]
// Weights are random: times and bytes are those of trained ones of the size.
import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request as open } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { makeModel, recording } from "./server-load.mjs";

const SELF = fileURLToPath(import.meta.url);
const RATE = 16000;
const MB = 2 ** 20;

/** In a process of its own: a server that says its port, and its peak memory at its end. */
async function serve(mode, model, threads) {
  const { loadRecognizer, recognizerPool } = await import("wav2vec2");
  const recognizer = mode === "pool" ? await recognizerPool(model, { threads }) : await loadRecognizer(model);
  const server = createServer(async (request, response) => {
    if (request.url !== "/health") await recognizer.transcribe(request);
    response.end("ok");
  });
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("message", () => {
    process.send({ peak: process.resourceUsage().maxRSS * 1024 });
    process.exit();
  });
}

const message = (child) => new Promise((resolve) => child.once("message", resolve));

/** Over a connection of its own: one that is kept would be closed by a server that answers late. */
function answer(url, body) {
  return new Promise((resolve, reject) => {
    const request = open(url, { method: body ? "POST" : "GET", agent: false }, (response) => {
      response.resume().once("end", resolve);
    });
    request.once("error", reject).end(body);
  });
}

async function latency(mode, model, threads, bytes) {
  const child = fork(SELF, ["serve", mode, model, threads]);
  const { port } = await message(child);
  const url = `http://127.0.0.1:${port}`;
  const begin = performance.now();
  let left = 4;
  const upload = async () => {
    // Without any, the machine shows what it adds by itself.
    await (mode === "idle" ? wait(10_000) : answer(url, bytes));
    left--;
  };
  const uploads = Array.from({ length: left }, upload);
  const times = [];
  while (left > 0) {
    const at = performance.now();
    await answer(`${url}/health`);
    times.push(performance.now() - at);
    await wait(20);
  }
  await Promise.all(uploads);
  const seconds = (performance.now() - begin) / 1000;
  child.send("end");
  const { peak } = await message(child);
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(1);
  console.log(
    `| ${{ idle: "nothing to do", own: "own thread", pool: `pool of ${threads}` }[mode]} | ${times.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${seconds.toFixed(0)} | ${Math.round(peak / MB)} |`,
  );
}

/** In a process of its own: what threads take, once loaded and after each has transcribed 30 s. */
async function measureMemory(mode, model, count) {
  const samples = recording(30);
  let run, close;
  if (mode === "pool") {
    const { recognizerPool } = await import("wav2vec2");
    const pool = await recognizerPool(model, { threads: count, torchThreads: 1 });
    run = () => Promise.all(Array.from({ length: count }, () => pool.transcribe(samples)));
    close = () => pool.close();
  } else {
    const workers = Array.from({ length: count }, () => new Worker(SELF, { workerData: { model } }));
    const answers = () =>
      Promise.all(workers.map((worker) => new Promise((done) => worker.once("message", done))));
    await answers();
    run = () => {
      for (const worker of workers) worker.postMessage(samples);
      return answers();
    };
    close = () => Promise.all(workers.map((worker) => worker.terminate()));
  }
  const loaded = process.memoryUsage.rss();
  await run();
  process.send({ loaded, peak: process.resourceUsage().maxRSS * 1024 });
  await close();
  process.exit();
}

async function memory(model) {
  console.log("| threads | sharing, loaded | after 30 s each | without sharing, loaded | after 30 s each |");
  console.log("|---|---|---|---|---|");
  for (const count of [1, 2, 4]) {
    process.stdout.write(`| ${count} |`);
    for (const mode of ["pool", "workers"]) {
      const { loaded, peak } = await message(fork(SELF, ["memory-of", mode, model, count]));
      for (const bytes of [loaded, peak]) process.stdout.write(` ${Math.round(bytes / MB)} MB |`);
    }
    console.log();
  }
}

if (!isMainThread) {
  const { loadRecognizer } = await import("wav2vec2");
  const { setThreads } = await import("@wav2vec2/libtorch");
  setThreads(1);
  const recognizer = await loadRecognizer(workerData.model);
  parentPort.on("message", async (samples) => parentPort.postMessage(await recognizer.transcribe(samples)));
  parentPort.postMessage("ready");
} else {
  const [command = "latency", first = "base", second = "2", third] = process.argv.slice(2);
  if (command === "serve") await serve(first, second, Number(third));
  else if (command === "memory-of") await measureMemory(first, second, Number(third));
  else {
    const directory = await mkdtemp(join(tmpdir(), "server-"));
    try {
      await makeModel(directory, first);
      if (command === "memory") await memory(directory);
      else {
        const { encodeFlac } = await import("wav2vec2");
        const bytes = encodeFlac(recording(60), RATE);
        console.log("| | answers | median ms | 99 % | longest | all four after, s | peak MB |");
        console.log("|---|---|---|---|---|---|---|");
        for (const mode of third ? [third] : ["idle", "own", "pool", "idle"])
          await latency(mode, directory, Number(second), bytes);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  }
}
