import type { WebSocket } from "ws";
import { z } from "zod";
import { rounded, roundTime } from "../../text/formats/rounding.js";
import type { Transcript } from "../../text/formats/transcript.js";
import { ApiError } from "../api-error.js";
import type { ServedModel } from "../models.js";
import type { Service } from "../service.js";
import { LIVE_ENCODINGS, type LiveEncoding, LiveRecording } from "./live-recording.js";
import { CLOSE, LiveSession, parsed } from "./session.js";

/** What the address of `/v1/stream` may say. */
export const STREAM_QUERY = z.object({
  model: z.string().max(256).optional(),
  sample_rate: z.coerce.number().int().min(4000).max(192_000).default(16_000),
  encoding: z.enum(LIVE_ENCODINGS as [LiveEncoding, ...LiveEncoding[]]).default("s16le"),
  words: z.enum(["true", "false"]).default("false"),
  keywords: z.array(z.string().min(1).max(200)).max(1000).default([]),
});
export type StreamQuery = z.infer<typeof STREAM_QUERY>;

/**
 * Samples in, text out: binary messages are samples, one after another; `{"type":"end"}` says that no more will come. What
 * comes back is JSON: `ready`, then `partial` (the words of the unfinished piece), `final` (a settled piece) and `endpoint`
 * (a pause ended it), at last `done`; `error` where something is wrong.
 */
export class PlainSession extends LiveSession {
  /** From the first sample on. */
  #recording: LiveRecording | undefined;
  #ended = false;
  #partial = "";
  #code: number = CLOSE.done;

  constructor(
    socket: WebSocket,
    service: Service,
    id: string,
    readonly model: ServedModel,
    readonly query: StreamQuery,
  ) {
    super(socket, service, id);
    const { encoding, sample_rate } = query;
    this.send({ type: "ready", model: model.name, sample_rate, encoding });
  }

  protected take(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      if (this.#ended) throw new ApiError(400, "Audio must come before the end, but came behind it.");
      this.#recording ??= this.#begin();
      this.#recording.push(data);
      return;
    }
    if (!isEnd(data))
      throw new ApiError(
        400,
        'A text message must be {"type":"end"}, but is another. Send audio as binary ones.',
      );
    this.#finish(CLOSE.done);
  }

  protected left(): void {
    this.#recording?.abort();
  }

  async finish(): Promise<void> {
    this.#finish(CLOSE.restart);
    await this.#recording?.done;
  }

  protected tellError(error: ApiError): void {
    this.send({ type: "error", ...error.body });
  }

  #begin(): LiveRecording {
    const { model, service } = this;
    const { encoding, sample_rate: sampleRate, keywords: hotwords } = this.query;
    const words = this.query.words === "true";
    return new LiveRecording(
      { model, service, words, hotwords, encoding, sampleRate },
      {
        onPartial: (text) => this.#tellPartial(text),
        onPiece: (piece) => this.#tellPiece(piece, words),
        onEnd: (error) => (error === undefined ? this.#tellDone() : this.fail(error, CLOSE.refused)),
        onFull: (isFull) => this.hold(isFull),
        onIdle: () => this.#finish(CLOSE.idle),
      },
    );
  }

  /** No more comes. @param code with which it ends */
  #finish(code: number): void {
    if (this.#ended) return;
    this.#code = code;
    this.#ended = true;
    if (this.#recording) this.#recording.end();
    else this.#tellDone();
  }

  #tellPartial(text: string): void {
    if (text === this.#partial) return;
    this.#partial = text;
    this.send({ type: "partial", text });
  }

  #tellPiece({ text, start, end, words }: Transcript, wantsWords: boolean): void {
    this.#partial = "";
    if (text === "") return;
    const listed = wantsWords ? { words: words.map(rounded) } : {};
    this.send({ type: "final", text, start: roundTime(start), end: roundTime(end), ...listed });
    if (end < this.#recording!.seconds) this.send({ type: "endpoint", at: roundTime(end) });
  }

  #tellDone(): void {
    this.send({ type: "done", duration: roundTime(this.#recording?.seconds ?? 0) });
    this.close(this.#code, "");
  }
}

function isEnd(data: Buffer): boolean {
  try {
    const message = parsed(data);
    return typeof message === "object" && message !== null && "type" in message && message.type === "end";
  } catch {
    return false;
  }
}
