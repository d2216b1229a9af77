import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gather, sameBits } from "../../test/fixtures/gather-blocks.js";
import { Random } from "../data/random.js";
import { UserError } from "../errors.js";
import { readAudio } from "./audio-file.js";
import type { AudioSource } from "./audio-source.js";
import { streamAudio } from "./audio-stream.js";
import { encodeFlac } from "./flac/flac-writer.js";
import { resample } from "./resampling/resample.js";

const random = new Random(5, "sources");
const samples = Float32Array.from({ length: 50_000 }, () => (random.integer(60_000) - 30_000) / 32768);
const bytes = encodeFlac(samples, 16_000);
const pieces = [bytes.subarray(0, 999), bytes.subarray(999, 40_000), bytes.subarray(40_000)];
const blocks = [samples.subarray(0, 300), samples.subarray(300, 45_000), samples.subarray(45_000)];

async function* later<Part>(parts: readonly Part[]): AsyncGenerator<Part> {
  for (const part of parts) {
    await new Promise(setImmediate);
    yield part;
  }
}

let directory: string;
let path: string;
let server: Server;
let origin: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "source-"));
  path = join(directory, "clip é.flac");
  await writeFile(path, bytes);
  server = createServer((request, response) => {
    response.statusCode = request.url!.startsWith("/clip") ? 200 : 404;
    response.end(response.statusCode === 200 ? bytes : "no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

/** Made anew for each reading. */
const sources: Record<string, () => AudioSource> = {
  "a path": () => path,
  "a file URL": () => pathToFileURL(path),
  "an http URL": () => new URL(`${origin}/clip.flac?token=secret`),
  "a data URL": () => new URL(`data:audio/flac;base64,${Buffer.from(bytes).toString("base64")}`),
  "a Buffer": () => Buffer.from(bytes),
  "a Uint8Array": () => bytes,
  "an ArrayBuffer": () => bytes.slice().buffer,
  "a SharedArrayBuffer": () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    return shared.buffer;
  },
  "a Blob": () => new Blob(pieces),
  "a File": () => new File(pieces, "clip.flac"),
  "a Node.js stream": () => Readable.from(pieces),
  "a web stream": () => new Response(bytes).body!,
  "a response": () => new Response(bytes),
  "a request": () => new Request(origin, { method: "POST", body: bytes }),
  "an iterable of bytes": () => pieces,
  "an asynchronous iterable of bytes": () => later(pieces),
  "a Float32Array": () => samples,
  "an iterable of samples": () => blocks,
  "an asynchronous iterable of samples": () => later(blocks),
  "a stream of samples": () => Readable.from(blocks),
  "samples with their rate": () => ({ samples, sampleRate: 16_000 }),
};

describe.each(Object.entries(sources))("%s", (_, open) => {
  it("is read, whole and in blocks", async () => {
    expect(sameBits(await readAudio(open()), samples)).toBe(true);
    const given = await gather(streamAudio(open()));
    expect(given.error).toBeUndefined();
    expect(sameBits(given.samples, samples)).toBe(true);
    expect(Math.max(...given.lengths)).toBeLessThanOrEqual(16_000);
    const part = await readAudio(open(), { start: 0.5, end: 1.25 });
    expect(sameBits(part, samples.subarray(8000, 20_000))).toBe(true);
  });
});

describe("a source", () => {
  it("of samples at another rate is resampled", async () => {
    const source = { samples, sampleRate: 44_100 };
    const expected = resample(samples, 44_100, 16_000);
    expect(sameBits(await readAudio(source), expected)).toBe(true);
    expect(sameBits((await gather(streamAudio(source))).samples, expected)).toBe(true);
    await expect(readAudio({ samples, sampleRate: 1.5 })).rejects.toThrow("sample rate of samples must be");
  });

  it.each<[unknown, string]>([
    [undefined, "but is undefined."],
    [5, "but is the number 5."],
    [null, "but is null."],
    [{ path: "a.flac" }, "but is { path }."],
    [
      { array: samples, sampling_rate: 16_000 },
      "{ samples, sampleRate } at another rate), but is { array, sampling_rate }.",
    ],
    [{ samples }, "but is { samples }."],
    [{}, "but is an Object."],
    [new FormData(), 'must be one file, but is a whole form. Give a file of it: form.get("NAME").'],
    [
      ["a.flac", "b.flac"],
      "must be one recording, but is a list of strings. Give paths one by one, or to transcribeFiles.",
    ],
    [new Int16Array(4), "come as an Int16Array. Divide integers by their full scale"],
    [[new Int16Array(4)], "come as an Int16Array."],
    [[0.1, 0.2], "Samples must be Float32Arrays, but are numbers."],
    [new Set(["text"]), "must give bytes, but gives text."],
    [[bytes, samples], "must give bytes or samples, but gives bytes first, then a Float32Array."],
    [[samples, bytes], "All blocks of samples must be Float32Arrays, but one is a Uint8Array."],
    ["https://example.org/a.flac", "Give it as new URL(…)."],
    [new URL("ftp://example.org/a.flac"), "must be of file:, http:, https: or data:, but is of ftp:"],
  ])("that is none is refused in one sentence (%#)", async (source, message) => {
    for (const read of [readAudio, (wrong: AudioSource) => gather(streamAudio(wrong))]) {
      const outcome = await read(source as unknown as AudioSource).catch((error: unknown) => error);
      const error = outcome instanceof Error ? outcome : (outcome as { error: unknown }).error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({
        code: "ERR_INVALID_ARG_TYPE",
        message: expect.stringContaining(message),
      });
    }
  });

  it.each([
    [
      "nothing",
      new Uint8Array(0),
      "ERR_AUDIO_EMPTY",
      "the audio file must be an audio file, but is empty (0 bytes).",
    ],
    ["no parts", [], "ERR_AUDIO_EMPTY", "the audio stream must be"],
    [
      "no samples",
      new Float32Array(0),
      "ERR_AUDIO_EMPTY",
      "the recording must hold audio, but holds 0 samples.",
    ],
    ["a number that is none", Float32Array.of(0, Number.NaN), "ERR_AUDIO_CORRUPT", "sample 1 is NaN"],
    ["a cut file", new Blob([bytes.subarray(0, 60_000)]), "ERR_AUDIO_TRUNCATED", "truncated"],
    [
      "text",
      Buffer.from("Hello, this is text."),
      "ERR_AUDIO_FORMAT",
      'begins with "Hell". Convert it with: ffmpeg -i INPUT',
    ],
    [
      "MP3 of a free bit rate",
      Buffer.concat(
        Array.from({ length: 9 }, () => Buffer.concat([Buffer.of(0xff, 0xfb, 0, 0xc4), Buffer.alloc(700)])),
      ),
      "ERR_AUDIO_FORMAT",
      "is MP3 of free format, whose frames tell no bit rate. Convert it with: lame --decode INPUT OUTPUT.wav",
    ],
    ["M4A", Buffer.from("\0\0\0\x1cftypM4A \0\0\0\0"), "ERR_AUDIO_FORMAT", "is MPEG-4 (M4A, MP4)"],
    ["a page", Buffer.from("<!DOCTYPE html><html>"), "ERR_AUDIO_FORMAT", "is a page (HTML)"],
    ["JSON", Buffer.from('{"audio": "UklGR"}'), "ERR_AUDIO_FORMAT", "is JSON. Give the audio's own bytes"],
    [
      "a form",
      Buffer.from('------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name="file"'),
      "ERR_AUDIO_FORMAT",
      "is the body of a form (multipart/form-data). Give the file in it alone",
    ],
    [
      "a form of another client",
      Buffer.from("--x0\r\nContent-Disposition: form-data"),
      "ERR_AUDIO_FORMAT",
      "a form",
    ],
  ] as const)("that holds %s is refused with a code", async (_, source, code, message) => {
    for (const read of [
      readAudio(source),
      gather(streamAudio(source)).then(({ error }) => Promise.reject(error)),
    ])
      await expect(read).rejects.toMatchObject({
        name: "UserError",
        code,
        message: expect.stringContaining(message),
      });
  });

  it("that is an empty path is refused as such", async () => {
    await expect(readAudio("")).rejects.toMatchObject({
      name: "ConfigurationError",
      message: "The audio must be a path where it is a string, but is empty.",
    });
  });

  it("that was read before says what to do", async () => {
    const web = new Response(bytes).body!;
    const node = Readable.from(pieces);
    const response = new Response(bytes);
    const request = new Request(origin, { method: "POST", body: bytes });
    for (const source of [web, node, response, request]) {
      await readAudio(source);
      await expect(readAudio(source)).rejects.toMatchObject({
        name: "ConfigurationError",
        code: "ERR_CONFIGURATION",
        message: expect.stringContaining(
          "the audio stream must be a stream that nobody has read, but was read before. Give a new one; what is needed twice,",
        ),
      });
    }
    const locked = new Response(bytes).body!;
    locked.getReader();
    await expect(readAudio(locked)).rejects.toThrow("but another reader has it");
    await expect(readAudio(new Response(null))).rejects.toMatchObject({ code: "ERR_AUDIO_EMPTY" });
    await expect(readAudio(await fetch(`${origin}/none`))).rejects.toMatchObject({
      code: "ERR_AUDIO_UNREACHABLE",
      message: "the response must give audio, but answers 404 Not Found.",
    });
    const broken = new PassThrough();
    broken.on("error", () => {}).destroy(new Error("the client left"));
    await expect(readAudio(broken)).rejects.toMatchObject({ code: "ERR_AUDIO_TRUNCATED" });
  });

  it("is named in messages: by the caller, or by its own name", async () => {
    const name = async (source: AudioSource, options = {}) =>
      readAudio(source, options).catch(({ message }: Error) => message.split(" must")[0]);
    const text = Buffer.from("Hello, this is text.");
    expect(await name(text, { name: "upload 7" })).toBe("upload 7");
    expect(await name(new File([text], "note.txt"))).toBe("note.txt");
    expect(await name(new URL(`${origin}/none.flac?token=secret`))).toBe(`${origin}/none.flac`);
    expect(await name("none.flac")).toBe("none.flac");
  });

  it("at an address that gives no audio says why", async () => {
    await expect(readAudio(new URL(`${origin}/none`))).rejects.toMatchObject({
      code: "ERR_AUDIO_UNREACHABLE",
      message: `${origin}/none must give audio, but answers 404 Not Found.`,
    });
    await expect(readAudio(new URL("http://127.0.0.1:1/a.flac"))).rejects.toMatchObject({
      code: "ERR_AUDIO_UNREACHABLE",
      message: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:1\/a\.flac must give audio, but cannot be reached: /,
      ),
    });
  });

  it("is let go of when its reader leaves, and when it is refused", async () => {
    let closed = 0;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield* later(pieces);
      } finally {
        closed++;
      }
    }
    for await (const _ of streamAudio(watched())) break;
    expect(closed).toBe(1);
    let cancelled: unknown;
    const web = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.from("This is text.")),
      cancel: () => {
        cancelled = true;
      },
    });
    expect((await gather(streamAudio(web))).error).toBeInstanceOf(UserError);
    expect(cancelled).toBe(true);
  });

  it("that is silent is left with the signal's reason", async () => {
    const silent: Record<string, () => AudioSource> = {
      "a Node.js stream": () => new PassThrough(),
      "a web stream": () => new ReadableStream<Uint8Array>(),
      "an iterable": () => ({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<Uint8Array>>(() => {}) }),
      }),
    };
    for (const open of Object.values(silent)) {
      const controller = new AbortController();
      const reading = gather(streamAudio(open(), { signal: controller.signal }));
      await new Promise(setImmediate);
      const reason = new Error("enough");
      controller.abort(reason);
      expect((await reading).error).toBe(reason);
    }
  });

  it("with an option that does not exist is refused with the nearest", async () => {
    await expect(readAudio(path, { begin: 1 } as object)).rejects.toThrow(
      "The options of readAudio must be among start, end, name, signal, onNote, but one is begin.",
    );
    await expect(streamAudio(path, { singal: undefined } as object).next()).rejects.toThrow(
      "Did you mean signal?",
    );
  });
});
