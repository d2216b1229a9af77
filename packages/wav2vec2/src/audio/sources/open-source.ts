import { fileURLToPath, wasReadOut } from "#platform/audio-files";
import { turn } from "#platform/turn";
import { isObject } from "../../argument-kinds.js";
import { describeType } from "../../describe-type.js";
import { ConfigurationError, UserError, wrongType } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import type { AudioSamples, AudioSource, NodeReadable, WebBody, WebStream } from "../audio-source.js";
import { requireFinite } from "../mono.js";
import { SAMPLE_RATE } from "../sample-rate.js";
import { requireSampleRate } from "../wav/raw-format.js";
import { DATA_URL, FILE, RECORDING, STREAM } from "./source-names.js";
import { SourceParts } from "./source-parts.js";

/** A source of audio that can be read: from where it lies, from memory, or once and in order. */
export type OpenedSource = { name: string } & (
  | { kind: "file"; path: string }
  | { kind: "bytes"; bytes: Uint8Array }
  /** @property isWhole whether it is a file that only comes in parts, whose header can be trusted */
  | { kind: "stream"; chunks: SourceParts<Uint8Array>; isWhole: boolean }
  | { kind: "samples"; blocks: SourceParts<Float32Array>; sampleRate: number }
);

export interface OpenOptions {
  name?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Samples that are looked at before the event loop has its turn. */
const SLICE = 2 ** 18;
const KINDS =
  "a path, a URL, the bytes of a file (Uint8Array, ArrayBuffer, Blob), a stream or iterable of bytes, a Response or Request, or samples " +
  "(Float32Arrays at 16 kHz, { samples, sampleRate } at another rate)";

/**
 * Tells what a source is. Of an iterable the first item is taken for it.
 *
 * @throws TypeError where it is no source, in a sentence that says what is one
 * @throws UserError where an address gives no audio
 * @throws ConfigurationError where a stream was read before, and of an empty path
 */
export async function openSource(
  source: AudioSource,
  { name, signal: given }: OpenOptions = {},
): Promise<OpenedSource> {
  given?.throwIfAborted();
  // Of its own: one that many recordings share would get a listener of each.
  const signal = given && AbortSignal.any([given]);
  if (typeof source === "string") return openPath(source, name);
  if (source instanceof URL) return await openUrl(source, name, signal);
  if (source instanceof Uint8Array) return { kind: "bytes", bytes: source, name: name ?? FILE };
  if (isBuffer(source)) return { kind: "bytes", bytes: new Uint8Array(source), name: name ?? FILE };
  if (source instanceof Blob) return openBlob(source, name, signal);
  if (source instanceof Float32Array) return await samplesSource(source, SAMPLE_RATE, name);
  if (isSamples(source)) {
    requireSampleRate(source.sampleRate, "samples");
    return await samplesSource(source.samples, source.sampleRate, name);
  }
  if (ArrayBuffer.isView(source)) throw wrongNumbers(source);
  if (isObject(source)) {
    if (source instanceof FormData)
      throw wrongType(
        'The audio must be one file, but is a whole form. Give a file of it: form.get("NAME").',
      );
    if (Array.isArray(source) && typeof source[0] === "string")
      throw wrongType(
        "The audio must be one recording, but is a list of strings. Give paths one by one, or to transcribeFiles.",
      );
    requireUnused(source, name);
    if (isWebBody(source)) return await openBody(source, name, signal);
    if (isReadable(source)) return await openParts(readableParts(source, name, signal), name);
    if (isWebStream(source)) return await openParts(webParts(source, name, signal), name);
    if (isIterable(source)) return await openParts(iterableParts(source, signal), name);
  }
  throw wrongType(`The audio must be ${KINDS}, but is ${describeObject(source)}.`);
}

/** With the names of its fields: what is meant by another library's object is one of another name. */
function describeObject(source: unknown): string {
  const names = isObject(source) ? Object.keys(source) : [];
  return names.length === 0 ? describeType(source) : `{ ${names.slice(0, 4).join(", ")} }`;
}

function openPath(path: string, name = path): OpenedSource {
  if (path === "")
    throw new ConfigurationError("The audio must be a path where it is a string, but is empty.");
  if (/^(https?|file|data):/i.test(path))
    throw wrongType(
      `The audio must be a path where it is a string, but is an address. Give it as new URL(…).`,
    );
  return { kind: "file", path, name };
}

async function openUrl(url: URL, given: string | undefined, signal: AbortSignal | undefined) {
  if (url.protocol === "file:") return openPath(fileURLToPath(url), given);
  if (!/^(https?|data):$/.test(url.protocol))
    throw wrongType(`The audio's URL must be of file:, http:, https: or data:, but is of ${url.protocol}`);
  // Without what may be secret in it.
  const name = given ?? (url.protocol === "data:" ? DATA_URL : `${url.origin}${url.pathname}`);
  let response: Response;
  try {
    response = await fetch(url, { signal: signal ?? null });
  } catch (error) {
    signal?.throwIfAborted();
    const { message, cause } = error as Error;
    const reason = cause instanceof Error && cause.message ? cause.message : message;
    throw unreachable(`${name} must give audio, but cannot be reached: ${reason}.`, error);
  }
  return await openBody(response, name, signal);
}

/** The body of an answer or a request. */
async function openBody(
  source: WebBody,
  name: string | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenedSource> {
  const { ok = true, status, statusText } = source as Partial<Response>;
  if (!ok) {
    await (source as Response).body?.cancel();
    const answer = `${status} ${statusText}`.trimEnd();
    throw unreachable(`${name ?? "the response"} must give audio, but answers ${answer}.`);
  }
  const body = source.body ?? new Blob([]).stream();
  return await openParts(webParts(body as WebStream, name, signal), name);
}

/** @throws ConfigurationError where nothing is left of a stream, or another reader has it */
function requireUnused(source: object, name = STREAM): void {
  const body = isWebBody(source) ? (source.body ?? {}) : source;
  const isLocked = "locked" in body && body.locked === true;
  const isOver = isReadable(body) ? isReadOut(body) : body instanceof ReadableStream && wasReadOut(body);
  const isUsed = isOver || (isWebBody(source) && source.bodyUsed);
  if (isUsed || isLocked)
    throw new ConfigurationError(
      `${name} must be a stream that nobody has read, but ${isUsed ? "was read before" : "another reader has it"}. ` +
        "Give a new one; what is needed twice, gather into bytes first: new Uint8Array(await new Response(stream).arrayBuffer()).",
    );
}

function unreachable(message: string, cause?: unknown): UserError {
  const sentence = message.endsWith(".") ? message : `${message}.`;
  return new UserError(sentence, { code: "ERR_AUDIO_UNREACHABLE", cause });
}

function openBlob(blob: Blob, given: string | undefined, signal: AbortSignal | undefined): OpenedSource {
  const own = "name" in blob && typeof blob.name === "string" && blob.name !== "" ? blob.name : undefined;
  const name = given ?? own ?? FILE;
  return {
    kind: "stream",
    chunks: new SourceParts({ iterator: blobParts(blob), signal, broken: (error) => brokenOff(name, error) }),
    isWhole: true,
    name,
  };
}

/** Bytes of a Blob that are asked for at once; its own stream gives all that is in memory as one part. */
const BLOB_PART = 2 ** 19;

async function* blobParts(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += BLOB_PART) {
    yield new Uint8Array(await blob.slice(at, at + BLOB_PART).arrayBuffer());
    await turn();
  }
}

/** Samples that are all there, which are looked at before any is used. */
async function samplesSource(
  samples: Float32Array,
  sampleRate: number,
  name = RECORDING,
): Promise<OpenedSource> {
  for (let at = 0; at < samples.length; at += SLICE) {
    requireFinite(samples.subarray(at, at + SLICE), name, at);
    await turn();
  }
  return { kind: "samples", blocks: new SourceParts({ iterator: [samples].values() }), sampleRate, name };
}

/** Where the parts of a source come from, and how it is let go of. */
interface Parts {
  iterator: Iterator<unknown> | AsyncIterator<unknown>;
  signal?: AbortSignal | undefined;
  release?: () => void;
  /** What is thrown where a part cannot be had. */
  broken?: (error: unknown) => unknown;
}

function readableParts(
  readable: NodeReadable,
  name: string | undefined,
  signal: AbortSignal | undefined,
): Parts {
  return {
    iterator: readable[Symbol.asyncIterator](),
    signal,
    release: () => void letGo(readable),
    broken: (error) => brokenOff(name, error),
  };
}

/** A request that is destroyed takes its connection with it, on which the answer is still to be sent: it is read to its end. */
function letGo(readable: NodeReadable): void {
  if ("httpVersion" in readable && !readable.destroyed) readable.resume();
  else readable.destroy();
}

function webParts(stream: WebStream, name: string | undefined, signal: AbortSignal | undefined): Parts {
  const reader = stream.getReader();
  return {
    iterator: { next: () => reader.read() as Promise<IteratorResult<unknown>> },
    signal,
    release: () => void reader.cancel().catch(() => {}), // it has broken already
    broken: (error) => brokenOff(name, error),
  };
}

function iterableParts(
  iterable: Iterable<unknown> | AsyncIterable<unknown>,
  signal: AbortSignal | undefined,
): Parts {
  const iterator =
    Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  return { iterator, signal, release: () => void iterator.return?.() };
}

function brokenOff(name = STREAM, error: unknown): UserError {
  return Object.assign(unreadable(name, "readable", error), { code: "ERR_AUDIO_TRUNCATED" as const });
}

/** Bytes or samples, told by the first of them. */
async function openParts(parts: Parts, name: string | undefined): Promise<OpenedSource> {
  const all = new SourceParts<unknown>(parts);
  const first = await all.peek();
  if (first instanceof Float32Array)
    return { kind: "samples", blocks: all.of(asSamples), sampleRate: SAMPLE_RATE, name: name ?? RECORDING };
  return { kind: "stream", chunks: all.of(asBytes), isWhole: false, name: name ?? STREAM };
}

function asBytes(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (isBuffer(part)) return new Uint8Array(part);
  if (part instanceof Float32Array)
    throw wrongType(
      "A stream of audio must give bytes or samples, but gives bytes first, then a Float32Array.",
    );
  if (typeof part === "string")
    throw wrongType("A stream of audio must give bytes, but gives text. Set no encoding for it.");
  if (ArrayBuffer.isView(part)) throw wrongNumbers(part);
  if (typeof part === "number")
    throw wrongType("Samples must be Float32Arrays, but are numbers. Give Float32Array.from(…).");
  throw wrongType(
    `A stream of audio must give Uint8Arrays or Float32Arrays, but gives ${describeType(part)}.`,
  );
}

function asSamples(part: unknown): Float32Array {
  if (part instanceof Float32Array) return part;
  throw wrongType(`All blocks of samples must be Float32Arrays, but one is ${describeType(part)}.`);
}

function wrongNumbers(numbers: ArrayBufferView): TypeError {
  return wrongType(
    `Samples must come as a Float32Array, from -1 to 1, but come as ${describeType(numbers)}. Divide integers by their full ` +
      "scale; give bytes as a Uint8Array.",
  );
}

function isBuffer(source: unknown): source is ArrayBufferLike {
  // Pages that share no memory have no such class.
  const isShared = typeof SharedArrayBuffer === "function" && source instanceof SharedArrayBuffer;
  return isShared || source instanceof ArrayBuffer;
}

function isSamples(source: unknown): source is AudioSamples {
  return (
    isObject(source) &&
    "samples" in source &&
    "sampleRate" in source &&
    source.samples instanceof Float32Array
  );
}

function isWebBody(source: object): source is WebBody {
  return (
    "bodyUsed" in source &&
    "body" in source &&
    "arrayBuffer" in source &&
    typeof source.arrayBuffer === "function"
  );
}

function isReadOut({ readableEnded, readableDidRead, destroyed, errored }: NodeReadable): boolean {
  return readableEnded || (destroyed && readableDidRead && !errored);
}

function isReadable(source: object): source is NodeReadable {
  return "destroy" in source && "pipe" in source && Symbol.asyncIterator in source;
}

function isWebStream(source: object): source is WebStream {
  return "getReader" in source && typeof source.getReader === "function";
}

function isIterable(source: object): source is Iterable<unknown> | AsyncIterable<unknown> {
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}
