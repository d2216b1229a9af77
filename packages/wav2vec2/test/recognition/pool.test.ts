import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readAudio } from "../../src/audio/audio-file.js";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { ConfigurationError, UserError } from "../../src/errors.js";
import { loadCtcModel } from "../../src/pretrained/ctc-directory.js";
import { Aligner } from "../../src/recognition/alignment/align.js";
import { LIVE_WINDOWS } from "../../src/recognition/emissions/emissions.js";
import { PoolError } from "../../src/recognition/pool/pool-error.js";
import { type RecognizerPool, recognizerPool } from "../../src/recognition/pool/recognizer-pool.js";
import { loadRecognizer, type Recognizer } from "../../src/recognition/recognizer.js";
import { toneClip } from "../fixtures/tone-corpus.js";
import { trainToneModel } from "../fixtures/trained-model.js";

let directory: string;
let model: string;
let recognizer: Recognizer;
let pool: RecognizerPool;
let clip: string;
let long: Float32Array;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "pool-"));
  model = await trainToneModel(directory);
  recognizer = await loadRecognizer(model);
  pool = await recognizerPool(model, { threads: 2, queue: 2 });
  clip = join(directory, "clip.flac");
  writeFileSync(clip, encodeFlac(toneClip("AB C", new Random(1, "clip")), 16000));
  long = toneClip("AB C BA ACB CAB  ".repeat(25), new Random(2, "long"));
}, 300_000);
afterAll(async () => {
  await pool.close();
  rmSync(directory, { recursive: true, force: true });
});

/** As JSON has it, with numbers that may differ a little: another number of threads sums floats in another order. */
function near(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, each) =>
    typeof each === "number" ? expect.closeTo(each, 3) : each,
  );
}

/** A stream that never ends; who holds it can tell whether it was let go of. */
function endless(): PassThrough {
  const stream = new PassThrough();
  stream.on("error", () => {});
  return stream;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a pool", () => {
  it("fails a job whose callback throws, and works on", async () => {
    const onPartial = () => {
      throw new Error("client gone");
    };
    await expect(pool.transcribe(long, { windows: LIVE_WINDOWS, onPartial })).rejects.toThrow("client gone");
    expect((await pool.transcribe(clip)).text).toBe("AB C");
  });

  it("begins threads anew where one ended while it began", async () => {
    const workers: Worker[] = [];
    const add = (worker: Worker) => void workers.push(worker);
    const kill = (worker: Worker) => setTimeout(() => void worker.terminate(), 5);
    process.on("worker", add);
    await using fragile = await recognizerPool(model, { threads: 1 });
    process.off("worker", add);
    process.on("worker", kill);
    try {
      const running = expect(fragile.transcribe(long)).rejects.toMatchObject({ code: "ERR_POOL_THREAD" });
      await until(() => fragile.stats().running === 1);
      void workers.at(-1)!.terminate();
      await running;
      await until(() => fragile.stats().threads === 0);
    } finally {
      process.off("worker", kill);
    }
    expect((await fragile.transcribe(clip)).text).toBe("AB C");
  });

  it("says what windows must be, instead of no text", async () => {
    for (const windows of [{}, { step: 8 }, "live", { ...LIVE_WINDOWS, stepp: 1 }] as never[]) {
      await expect(pool.transcribe(clip, { windows })).rejects.toThrow(/windows/);
      await expect(recognizer.transcribe(clip, { windows })).rejects.toThrow(/windows/);
    }
  });

  it("answers a request whose audio is none, on the same connection", async () => {
    const server = createServer(async (request, response) => {
      try {
        response.end((await pool.transcribe(request)).text);
      } catch (error) {
        response.statusCode = error instanceof UserError ? 400 : 500;
        response.end((error as Error).message);
      }
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    try {
      for (const size of [1000, 2 ** 20, 8 * 2 ** 20]) {
        const response = await fetch(`http://127.0.0.1:${port}/`, {
          method: "POST",
          body: new Uint8Array(size).fill(97),
        });
        expect(response.status, String(size)).toBe(400);
        expect(await response.text()).toContain("must be");
      }
    } finally {
      await new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      });
    }
  });

  it("transcribes every kind of source as a recogniser does", async () => {
    const bytes = readFileSync(clip);
    const expected = await recognizer.transcribe(clip, { words: true });
    expect(expected.text).toBe("AB C");
    const samples = toneClip("AB C", new Random(1, "clip"));
    const halves = [samples.subarray(0, 3000), samples.subarray(3000)];
    for (const source of [
      clip,
      new URL(`file://${clip}`),
      bytes,
      new Blob([bytes]),
      Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]),
      new Response(bytes).body!,
      halves,
    ])
      expect(await pool.transcribe(source, { words: true })).toEqual(near(expected));
    expect((await pool.transcribe({ samples, sampleRate: 16000 })).text).toBe("AB C");
  });

  it("gives pieces and partial words as a recogniser does", async () => {
    const take = async (from: Recognizer | RecognizerPool) => {
      const partial: string[] = [];
      const pieces: unknown[] = [];
      const options = { words: true, onPartial: (text: string) => void partial.push(text) };
      for await (const piece of from.stream(long, { ...options, windows: LIVE_WINDOWS })) pieces.push(piece);
      return { partial, pieces };
    };
    const [here, there] = [await take(recognizer), await take(pool)];
    expect(there).toEqual(near(here));
    expect(here.pieces.length).toBeGreaterThan(2);
    const partial: string[] = [];
    const whole = await pool.transcribe(long, { onPartial: (text) => void partial.push(text) });
    expect(whole.text).toBe((await recognizer.transcribe(long)).text);
    expect(whole.text.startsWith(partial[0]!.slice(0, 20))).toBe(true);
  });

  it("fails with the errors of a recogniser, codes included", async () => {
    for (const [source, code] of [
      [Buffer.from("This is text."), "ERR_AUDIO_FORMAT"],
      [new Uint8Array(0), "ERR_AUDIO_EMPTY"],
      [readFileSync(clip).subarray(0, 2000), "ERR_AUDIO_TRUNCATED"],
      [join(directory, "none.flac"), "ERR_FILE_NOT_FOUND"],
    ] as const) {
      const here = await recognizer.transcribe(source).catch((error: unknown) => error);
      const there = await pool.transcribe(source).catch((error: unknown) => error);
      for (const error of [here, there]) expect(error).toBeInstanceOf(UserError);
      expect((there as UserError).code).toBe(code);
      expect([(there as Error).message, (there as Error).name]).toEqual([
        (here as Error).message,
        (here as Error).name,
      ]);
    }
    await expect(pool.transcribe(5 as unknown as string)).rejects.toThrow("The audio must be a path");
    await expect(pool.transcribe(clip, { wrods: true } as object)).rejects.toThrow("Did you mean words?");
    const broken = new PassThrough();
    setImmediate(() => broken.destroy(new Error("the client left")));
    await expect(pool.transcribe(broken)).rejects.toMatchObject({
      message: "the audio stream must be readable, but cannot be read: the client left.",
      code: "ERR_AUDIO_TRUNCATED",
    });
  });

  it("fails with what its stream threw, of its own class", async () => {
    class TooLarge extends Error {}
    async function* upload() {
      yield new Uint8Array(100);
      throw new TooLarge("The recording is too large.");
    }
    await expect(pool.transcribe(upload())).rejects.toBeInstanceOf(TooLarge);
  });

  it("refuses what its queue has no room for, and drops what is given up while it waits", async () => {
    const streams = [endless(), endless(), endless(), endless()];
    const stops = streams.map(() => new AbortController());
    const jobs = streams.map((stream, i) => pool.transcribe(stream, { signal: stops[i]!.signal }));
    for (const job of jobs) job.catch(() => {});
    expect(pool.stats()).toMatchObject({ threads: 2, running: 2, waiting: 2, queue: 2 });
    await expect(pool.transcribe(clip)).rejects.toMatchObject({
      code: "ERR_POOL_BUSY",
      message: "The pool must have a free place, but 2 recordings wait for its 2 threads. Try again later.",
    });
    const reason = new Error("enough");
    stops[3]!.abort(reason);
    await expect(jobs[3]).rejects.toBe(reason);
    expect(pool.stats()).toMatchObject({ running: 2, waiting: 1 });
    expect(streams[3]!.destroyed).toBe(false); // it was never touched
    for (const stop of stops) stop.abort(reason);
    for (const job of jobs) await expect(job).rejects.toBe(reason);
    expect((await pool.transcribe(clip)).text).toBe("AB C");
    await until(() => streams.slice(0, 2).every(({ destroyed }) => destroyed));
  });

  it("ends a job between two windows and keeps its thread", async () => {
    const stop = new AbortController();
    const heap = pool.stats().memory.threads.length;
    const pieces: string[] = [];
    const reason = new Error("enough");
    const running = (async () => {
      const options = { windows: LIVE_WINDOWS, signal: stop.signal };
      for await (const { text } of pool.stream(long, options)) {
        pieces.push(text);
        stop.abort(reason);
      }
    })();
    await expect(running).rejects.toBe(reason);
    expect(pieces.length).toBeGreaterThan(0);
    await until(() => pool.stats().running === 0);
    expect(pool.stats()).toMatchObject({ threads: heap, waiting: 0 });
  });

  it("ends a job whose pieces nobody wants any more", async () => {
    const stream = endless();
    stream.write(readFileSync(clip));
    for await (const _ of pool.stream(long, { windows: LIVE_WINDOWS })) break;
    await until(() => pool.stats().running === 0);
    expect((await pool.transcribe(clip)).text).toBe("AB C");
  });

  it("fails the job of a thread that ends, and has another in its place", async () => {
    let worker: Worker | undefined;
    const post = Worker.prototype.postMessage;
    const spy = vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (
      this: Worker,
      ...message: Parameters<Worker["postMessage"]>
    ) {
      worker = this;
      post.apply(this, message);
    });
    const stream = endless();
    stream.write(readFileSync(clip).subarray(0, 2000)); // a job begins with its first bytes
    const job = pool.transcribe(stream);
    const failed = expect(job).rejects.toMatchObject({ name: "PoolError", code: "ERR_POOL_THREAD" });
    await until(() => worker !== undefined);
    spy.mockRestore();
    await worker!.terminate();
    await failed;
    expect(stream.destroyed).toBe(true);
    const both = await Promise.all([pool.transcribe(clip), pool.transcribe(clip)]);
    expect(both.map(({ text }) => text)).toEqual(["AB C", "AB C"]);
    await until(() => pool.stats().memory.threads.every(({ heap }) => heap > 0));
  });

  it("aligns a text as an aligner does", async () => {
    const aligner = new Aligner(recognizer.ctc);
    for (const source of [clip, readFileSync(clip), toneClip("AB C", new Random(1, "clip"))]) {
      const [here, there] = [await aligner.align(source, "AB C"), await pool.align(source, "AB C")];
      expect(there.transcript).toEqual(near(here.transcript));
      expect(there.transcript.words.map(({ text }) => text)).toEqual(["AB", "C"]);
      expect([...there.path.path]).toEqual([...here.path.path]);
      expect(there.emissions.frames).toBe(here.emissions.frames);
      expect(there.confidence).toBeCloseTo(here.confidence, 3);
    }
    const there = await pool.align(clip, "ab, c!", { respell: true });
    expect(there.transcript.words.map(({ text }) => text)).toEqual(["ab,", "c!"]);
    const message = (from: Aligner | RecognizerPool, text: unknown) =>
      from.align(clip, text as string).catch(({ name, code, message }) => ({ name, code, message }));
    for (const [text, code] of [
      ["Ü", "ERR_TEXT"],
      ["", "ERR_TEXT"],
      [5, "ERR_INVALID_ARG_TYPE"],
    ] as const) {
      expect(await message(pool, text)).toEqual(await message(aligner, text));
      expect(await message(pool, text)).toMatchObject({ code });
    }
    await expect(pool.align(clip, "A", { respel: true } as object)).rejects.toThrow("Did you mean respell?");
    await expect(pool.align(clip, "A", { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  });

  it("gives the thread of a stream that sends nothing to others", async () => {
    await using impatient = await recognizerPool(model, { threads: 1, idleSeconds: 0.3 });
    const begun = endless();
    begun.write(readFileSync(clip).subarray(0, 2000));
    const streams = [endless(), begun];
    for (const stream of streams) {
      await expect(impatient.transcribe(stream)).rejects.toMatchObject({
        name: "PoolError",
        code: "ERR_POOL_IDLE",
        message: "The recording must go on within 0.3 s, but its stream gave nothing. Send it again.",
      });
      expect((await impatient.transcribe(clip)).text).toBe("AB C");
      expect(stream.destroyed).toBe(true);
    }
    for (const idleSeconds of [0, -1, Number.NaN, 1e9])
      await expect(recognizerPool(model, { idleSeconds })).rejects.toThrow(
        "idleSeconds must be from above 0",
      );
  });

  it.runIf(process.platform === "linux")("lets the system prefer other threads", async () => {
    const nicenesses = () =>
      readdirSync("/proc/self/task").map((thread) => {
        const stat = readFileSync(`/proc/self/task/${thread}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[17]);
      });
    const own = getPriority();
    const lowered = () => nicenesses().filter((niceness) => niceness === Math.min(19, own + 9)).length;
    expect(lowered()).toBe(0);
    await using gentle = await recognizerPool(model, { threads: 1, torchThreads: 2, nice: 9 });
    await gentle.transcribe(clip);
    expect(lowered()).toBeGreaterThanOrEqual(1);
    expect(getPriority()).toBe(own);
    await expect(recognizerPool(model, { nice: -1 })).rejects.toThrow(
      "nice must be a whole number from 0 to 19",
    );
  });

  it("takes one signal for many recordings", async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => void warnings.push(warning);
    process.on("warning", warn);
    const stop = new AbortController();
    await using wide = await recognizerPool(model, { threads: 1 });
    const jobs = Array.from({ length: 20 }, () => wide.transcribe(endless(), { signal: stop.signal }));
    const reads = Array.from({ length: 20 }, () => readAudio(endless(), { signal: stop.signal }));
    const reason = new Error("enough");
    const failed = [...jobs, ...reads].map((job) => expect(job).rejects.toBe(reason));
    await new Promise((resolve) => setTimeout(resolve, 20));
    stop.abort(reason);
    await Promise.all(failed);
    process.off("warning", warn);
    expect(warnings).toEqual([]);
  });

  it("says what its threads share and what they hold", () => {
    const { memory } = pool.stats();
    const weights = recognizer.ctc.model.parameters().reduce((sum, { numel }) => sum + 4 * numel, 0);
    expect(memory.weights).toBe(weights);
    expect(memory.threads).toHaveLength(2);
    for (const { heap } of memory.threads) expect(heap).toBeGreaterThan(1e6);
    expect(memory.process).toBeGreaterThan(memory.weights);
  });
});

describe("pools", () => {
  it("take models in memory, with their weights as they are then", async () => {
    const ctc = await loadCtcModel(model);
    await using own = await recognizerPool(ctc, { threads: 1, beamWidth: 8 });
    for (const parameter of ctc.model.parameters()) parameter.detach().fill_(0);
    expect((await own.transcribe(clip)).text).toBe("AB C");
  });

  it("say at once what is wrong with the model or the options", async () => {
    await expect(recognizerPool(join(directory, "none"))).rejects.toMatchObject({
      code: "ERR_MODEL_NOT_FOUND",
      name: "UserError",
    });
    await expect(recognizerPool(model, { beamwidth: 3 } as object)).rejects.toThrow(
      "Did you mean beamWidth?",
    );
    await expect(recognizerPool(model, { threads: 0 })).rejects.toThrow(ConfigurationError);
    await expect(recognizerPool(model, { threads: 1, languageModel: clip })).rejects.toMatchObject({
      code: "ERR_LANGUAGE_MODEL",
    });
    await expect(recognizerPool(undefined as unknown as string)).rejects.toThrow(
      "model of recognizerPool must be a model directory, a Hub id, or a recogniser in memory",
    );
  });

  it("fail what is under way when they are closed", async () => {
    const own = await recognizerPool(model, { threads: 1 });
    const jobs = [endless(), endless()].map((stream) => own.transcribe(stream));
    const failed = jobs.map((job) => expect(job).rejects.toMatchObject({ code: "ERR_POOL_CLOSED" }));
    await own.close();
    await Promise.all(failed);
    await expect(own.transcribe(clip)).rejects.toBeInstanceOf(PoolError);
  });
});
