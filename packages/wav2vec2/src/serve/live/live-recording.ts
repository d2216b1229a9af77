import { A_LAW, MU_LAW } from "../../audio/wav/g711.js";
import type { RawEncoding } from "../../audio/wav/raw-format.js";
import type { WindowSeconds } from "../../recognition/emissions/emissions.js";
import type { Transcript } from "../../text/formats/transcript.js";
import { endOf, type RecordingEnd } from "../metrics.js";
import type { ServedModel } from "../models.js";
import type { Service } from "../service.js";
import { AudioQueue } from "./audio-queue.js";

/**
 * Of live audio: the network looks as soon as a quarter of a second is new, at more where it is behind. Words are settled when
 * it has heard a second behind them; until then they are shown as they sound.
 */
export const PROMPT_WINDOWS: WindowSeconds = { step: 5, first: 5, least: 0.25, before: 4, after: 1 };
/** Seconds of audio that may wait before the client is held back. */
const MOST_SECONDS = 5;
/** A client that sends nothing for so long has stopped; silence is sent too. Less than a pool waits. */
const IDLE_MS = 30_000;

/** How samples are coded on the way: as raw samples, or as telephones do. */
export type LiveEncoding = RawEncoding | "mulaw" | "alaw";

export interface LiveFormat {
  encoding: LiveEncoding;
  sampleRate: number;
}

export interface LiveOptions extends LiveFormat {
  model: ServedModel;
  service: Service;
  words: boolean;
  hotwords: readonly string[];
}

export interface LiveEvents {
  /** The words of the unfinished piece. */
  onPartial(text: string): void;
  /** A piece that is settled; a pause ends it, or the recording's end. */
  onPiece(piece: Transcript): void;
  /** All is said. @param error where it failed */
  onEnd(error: unknown): void;
  /** Whether the client is to send no more for now. */
  onFull(isFull: boolean): void;
  /** Nothing came for long. */
  onIdle(): void;
}

/** Audio of one connection while it comes, and its words. */
export class LiveRecording {
  /** Bytes that came. */
  bytes = 0;
  readonly done: Promise<void>;
  readonly #queue: AudioQueue;
  readonly #abort = new AbortController();
  readonly #idle: NodeJS.Timeout;
  #isFull = false;

  constructor(
    readonly options: LiveOptions,
    readonly events: LiveEvents,
  ) {
    this.#queue = new AudioQueue(() => this.#tellFull());
    this.#idle = setTimeout(() => {
      if (this.#isFull)
        this.#idle.refresh(); // it is held back
      else events.onIdle();
    }, IDLE_MS);
    this.done = this.#recognize();
  }

  /** Seconds that came. */
  get seconds(): number {
    return this.bytes / bytesPerSecond(this.options);
  }

  push(part: Uint8Array): void {
    this.bytes += part.length;
    this.#idle.refresh();
    this.#queue.push(linear(part, this.options.encoding));
    this.#tellFull();
  }

  /** No more will come: what is there is still recognised. */
  end(): void {
    clearTimeout(this.#idle);
    this.#queue.end();
  }

  /** Nobody wants it any more. */
  abort(): void {
    this.#abort.abort();
    this.end();
  }

  #tellFull(): void {
    const { encoding, sampleRate } = this.options;
    const rate = bytesPerSecond({ encoding: rawEncoding(encoding), sampleRate });
    const isFull = this.#queue.bytes > MOST_SECONDS * rate;
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    this.events.onFull(isFull);
  }

  async #recognize(): Promise<void> {
    const { model, service, words, hotwords, sampleRate, encoding } = this.options;
    const labels = { model: model.name, kind: "live" };
    const { signal } = this.#abort;
    const raw = { encoding: rawEncoding(encoding), sampleRate, channels: 1 };
    let end: RecordingEnd = "done";
    let error: unknown;
    const release = model.acquire();
    try {
      const pieces = model.pool.stream(this.#queue, {
        raw,
        windows: PROMPT_WINDOWS,
        words,
        hotwords: hotwords.length > 0 ? hotwords : undefined,
        name: "the audio",
        signal,
        onPartial: (text) => this.events.onPartial(text),
      });
      for await (const piece of pieces) this.events.onPiece(piece);
    } catch (thrown) {
      error = thrown;
      end = signal.aborted ? "left" : endOf(thrown);
    } finally {
      clearTimeout(this.#idle);
      release();
      service.metrics.recordings.inc({ ...labels, end });
      service.metrics.audioSeconds.inc(labels, this.seconds);
    }
    if (!signal.aborted) this.events.onEnd(error);
  }
}

function rawEncoding(encoding: LiveEncoding): RawEncoding {
  return encoding === "mulaw" || encoding === "alaw" ? "f32le" : encoding;
}

const SAMPLE_BYTES: Readonly<Record<LiveEncoding, number>> = {
  u8: 1,
  s16le: 2,
  s24le: 3,
  s32le: 4,
  f32le: 4,
  mulaw: 1,
  alaw: 1,
};

export const LIVE_ENCODINGS = Object.keys(SAMPLE_BYTES) as LiveEncoding[];

export function bytesPerSecond({ encoding, sampleRate }: LiveFormat): number {
  return SAMPLE_BYTES[encoding] * sampleRate;
}

/** Telephones' codes as samples. */
function linear(part: Uint8Array, encoding: LiveEncoding): Uint8Array {
  const table = encoding === "mulaw" ? MU_LAW : encoding === "alaw" ? A_LAW : undefined;
  if (table === undefined) return part;
  return new Uint8Array(Float32Array.from(part, (code) => table[code]!).buffer);
}
