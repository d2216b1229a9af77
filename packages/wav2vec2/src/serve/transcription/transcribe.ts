import { rm } from "node:fs/promises";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { RecognizerPool } from "../../recognition/pool/recognizer-pool.js";
import type { Transcript } from "../../text/formats/transcript.js";
import { ApiError, apiErrorOf } from "../api-error.js";
import { errorFields } from "../log.js";
import { endOf, type RecordingEnd } from "../metrics.js";
import type { ServedModel } from "../models.js";
import type { Service } from "../service.js";
import { answerOf, logprobsOf, needsWords, textOf, usageOf } from "./answer.js";
import { readForm, type TranscriptionForm } from "./form.js";
import { type TranscriptionRequest, transcriptionRequest } from "./request.js";
import type { StreamEvent } from "./schema.js";

/** What a handler of requests gets: Node.js' own request and answer. */
export type NodeContext = Context<{ Bindings: HttpBindings; Variables: { facts: Record<string, unknown> } }>;

/** Answers `POST /v1/audio/transcriptions`. */
export async function transcribeUpload(context: NodeContext, service: Service): Promise<Response> {
  const { incoming, outgoing } = context.env;
  const gone = new AbortController(); // a client that leaves needs no answer
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort(new ClientLeft());
  });
  service.requireRoom();
  const onTaken = () => {
    if (incoming.headers.expect !== undefined) outgoing.writeContinue();
  };
  const { directory, limits } = service;
  const form = await service.uploading(() =>
    readForm(incoming, { directory, maxBytes: limits.maxBytes, onTaken }),
  );
  try {
    gone.signal.throwIfAborted();
    const request = transcriptionRequest(form.fields);
    const model = service.models.named(request.model);
    const facts = context.get("facts");
    Object.assign(facts, { model: model.name, bytes: form.file.size });
    if (request.ignored.length > 0) facts.ignored = request.ignored;
    const recording = new Recording(form, request, model, service, gone.signal, facts);
    return request.stream ? await recording.events(context) : await recording.answer(context);
  } catch (error) {
    await rm(form.file.path, { force: true });
    throw error;
  }
}

/** The client went before its answer was there. */
export class ClientLeft extends Error {}

/** A recording on its way from an upload to an answer. */
class Recording {
  #duration = 0;

  constructor(
    readonly form: TranscriptionForm,
    readonly request: TranscriptionRequest,
    readonly model: ServedModel,
    readonly service: Service,
    readonly signal: AbortSignal,
    readonly facts: Record<string, unknown>,
  ) {}

  async answer(context: NodeContext): Promise<Response> {
    const segments: Transcript[] = [];
    for await (const segment of this.#pieces()) segments.push(segment);
    const recognized = { segments, duration: this.#duration };
    const { type, body } = answerOf(recognized, this.request, this.#language);
    return context.body(body, 200, { "Content-Type": type });
  }

  /** Server-sent events. What is wrong with the audio before its first piece is an answer of its own. */
  async events(context: NodeContext): Promise<Response> {
    const pieces = this.#pieces();
    let next = await pieces.next();
    context.header("X-Accel-Buffering", "no");
    const wantsLogprobs = this.request.include.includes("logprobs");
    const logprobs = (...of: Transcript[]) => (wantsLogprobs ? { logprobs: of.flatMap(logprobsOf) } : {});
    return streamSSE(context as Context, async (stream) => {
      const send = (event: StreamEvent) => stream.writeSSE({ data: JSON.stringify(event) });
      const told: Transcript[] = [];
      try {
        for (; !next.done; next = await pieces.next()) {
          const before = textOf(told);
          told.push(next.value);
          const delta = textOf(told).slice(before.length);
          await send({ type: "transcript.text.delta", delta, ...logprobs(next.value) });
        }
        const usage = usageOf(this.#duration);
        await send({ type: "transcript.text.done", text: textOf(told), ...logprobs(...told), usage });
      } catch (error) {
        if (error instanceof ClientLeft) return;
        this.service.log("error", "stream-broken", { id: this.facts.id, ...errorFields(error) });
        await send({ type: "error", ...apiErrorOf(error).body });
      }
    });
  }

  get #language(): string {
    return this.request.language ?? this.service.language ?? "unknown";
  }

  /** Pieces with words; counts how it ended and how long it was. */
  async *#pieces(): AsyncGenerator<Transcript> {
    const { metrics } = this.service;
    const labels = { model: this.model.name, kind: "file" };
    const begin = performance.now();
    let end: RecordingEnd = "left";
    const release = this.model.acquire();
    try {
      yield* this.#segments(this.model.pool);
      end = "done";
      this.service.noteDone((performance.now() - begin) / 1000);
    } catch (error) {
      if (this.signal.aborted) throw this.signal.reason;
      end = endOf(error);
      throw error;
    } finally {
      metrics.recordings.inc({ ...labels, end });
      metrics.audioSeconds.inc(labels, this.#duration);
      this.facts.audioSeconds = this.#duration;
      await rm(this.form.file.path, { force: true });
      release();
    }
  }

  /** @throws ApiError 413 where the recording lasts too long */
  async *#segments(pool: RecognizerPool): AsyncGenerator<Transcript> {
    const { form, request, signal, service } = this;
    const { maxSeconds } = service.limits;
    const hotwords = request.keywords.length > 0 ? request.keywords : undefined;
    const options = { words: needsWords(request), name: form.file.name, signal, hotwords };
    for await (const segment of pool.stream(form.file.path, options)) {
      this.#duration = segment.end;
      if (segment.end > maxSeconds)
        throw new ApiError(413, `The recording must last at most ${maxSeconds} s, but is longer.`, {
          param: "file",
          code: "recording_too_long",
        });
      if (segment.text !== "") yield segment;
    }
  }
}
