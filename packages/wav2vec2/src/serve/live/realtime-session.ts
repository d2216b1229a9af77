import { randomUUID } from "node:crypto";
import type { WebSocket } from "ws";
import type { Transcript } from "../../text/formats/transcript.js";
import { joinTexts } from "../../text/unspaced-scripts.js";
import { ApiError } from "../api-error.js";
import type { ServedModel } from "../models.js";
import type { Service } from "../service.js";
import { usageOf } from "../transcription/answer.js";
import { LiveRecording } from "./live-recording.js";
import { CLIENT_EVENT, described, FIRST_SETTINGS, type SessionSettings, updated } from "./realtime-events.js";
import { CLOSE, LiveSession, parsed } from "./session.js";
import { StableText } from "./stable-text.js";

/**
 * A session of OpenAI's realtime transcription. Audio that is appended is recognised as it comes. With turn detection each
 * piece that a pause ends becomes an item; without, what the client commits does.
 */
export class RealtimeSession extends LiveSession {
  #settings: SessionSettings;
  readonly #sessionId = newId("sess");
  /** What audio is appended to. */
  #stretch: Stretch | undefined;
  /** All whose texts are not told yet. */
  readonly #open = new Set<Stretch>();
  /** Seconds before the stretch. */
  #seconds = 0;
  #lastItem: string | null = null;

  /** @param model of the connection's address, where it names one */
  constructor(socket: WebSocket, service: Service, id: string, model: string | undefined) {
    super(socket, service, id);
    this.#settings = { ...FIRST_SETTINGS, model };
    this.#tell("session.created", { session: described(this.#sessionId, this.#settings) });
  }

  protected take(data: Buffer): void {
    const event = this.#read(data);
    if (event.type === "input_audio_buffer.append") this.#append(Buffer.from(event.audio, "base64"));
    else if (event.type === "input_audio_buffer.commit") this.#commit();
    else if (event.type === "input_audio_buffer.clear") this.#clear();
    else this.#update(updated(this.#settings, event.session), `${event.type}d`);
  }

  protected left(): void {
    for (const { recording } of this.#open) recording.abort();
  }

  async finish(): Promise<void> {
    this.#settle();
    await Promise.all([...this.#open].map(({ recording }) => recording.done));
    this.close(CLOSE.restart, "");
  }

  protected tellError({ body }: ApiError): void {
    this.#tell("error", body);
  }

  #read(data: Buffer) {
    let value: unknown;
    try {
      value = parsed(data);
    } catch {
      throw new ApiError(400, "A message must be a JSON object, but is none.");
    }
    const result = CLIENT_EVENT.safeParse(value);
    if (result.success) return result.data;
    const { path, message } = result.error.issues[0]!;
    throw new ApiError(400, `The event's ${path.join(".") || "type"} is wrong: ${message}.`, {
      param: path.join("."),
    });
  }

  /** @throws ApiError where there is no such model */
  #update(settings: SessionSettings, event: string): void {
    this.service.models.named(settings.model);
    this.#settle(); // what came before is of the settings before
    this.#settings = settings;
    this.#tell(event, { session: described(this.#sessionId, settings) });
  }

  #append(audio: Buffer): void {
    if (audio.length === 0) return;
    this.#stretch ??= this.#begin();
    this.#stretch.recording.push(audio);
  }

  #begin(): Stretch {
    const stretch = new Stretch(
      this.service.models.named(this.#settings.model),
      this.service,
      this.#settings,
      this.#seconds,
      {
        tell: (type, fields) => this.#tell(type, fields),
        nextItem: () => this.#nextItem(),
        onFull: (isFull) => this.hold(isFull),
        onIdle: () => this.#settle(),
        onEnd: (error) => {
          this.#open.delete(stretch);
          if (this.#stretch === stretch) this.#stretch = undefined;
          if (error !== undefined) this.fail(error);
        },
      },
    );
    this.#open.add(stretch);
    return stretch;
  }

  #nextItem(): { item_id: string; previous_item_id: string | null } {
    const previous = this.#lastItem;
    this.#lastItem = newId("item");
    return { item_id: this.#lastItem, previous_item_id: previous };
  }

  /** @throws ApiError where nothing was appended since the last one */
  #commit(): void {
    if (this.#stretch === undefined)
      throw new ApiError(400, "Audio must be appended before it is committed, but there is none.", {
        code: "input_audio_buffer_commit_empty",
      });
    this.#settle();
  }

  /** Ends the stretch: what came is recognised. */
  #settle(): void {
    if (this.#stretch === undefined) return;
    this.#seconds += this.#stretch.recording.seconds;
    this.#stretch.commit();
    this.#stretch = undefined;
  }

  #clear(): void {
    if (this.#stretch) {
      this.#seconds += this.#stretch.recording.seconds;
      this.#stretch.recording.abort();
      this.#open.delete(this.#stretch);
      this.#stretch = undefined;
    }
    this.#tell("input_audio_buffer.cleared", {});
  }

  #tell(type: string, fields: Readonly<Record<string, unknown>>): void {
    this.send({ type, event_id: newId("event"), ...fields });
  }
}

interface StretchEvents {
  tell(type: string, fields: Readonly<Record<string, unknown>>): void;
  nextItem(): { item_id: string; previous_item_id: string | null };
  onFull(isFull: boolean): void;
  onIdle(): void;
  onEnd(error: unknown): void;
}

/** An item of a conversation that is being said. */
interface Item {
  id: string;
  previous: string | null;
  text: StableText;
}

/** Audio between two commits, of which items are made. */
class Stretch {
  readonly recording: LiveRecording;
  readonly #pieces: Transcript[] = [];
  #item: Item | undefined;
  #isCommitted = false;

  /** @param before seconds of the session before it */
  constructor(
    model: ServedModel,
    service: Service,
    readonly settings: SessionSettings,
    readonly before: number,
    readonly events: StretchEvents,
  ) {
    const { encoding, sampleRate, keywords: hotwords } = settings;
    this.recording = new LiveRecording(
      { model, service, words: false, hotwords, encoding, sampleRate },
      {
        onPartial: (text) => this.#partial(text),
        onPiece: (piece) => this.#piece(piece),
        onEnd: (error) => this.#end(error),
        onFull: events.onFull,
        onIdle: events.onIdle,
      },
    );
  }

  commit(): void {
    this.#isCommitted = true;
    if (!this.settings.detectsTurns) this.#tellCommitted(this.#begin());
    this.recording.end();
  }

  #partial(text: string): void {
    if (text === "") return;
    this.#delta(this.#begin(0), (stable) => stable.partial(this.#textWith(text)));
  }

  #piece(piece: Transcript): void {
    if (!this.settings.detectsTurns) {
      this.#pieces.push(piece);
      if (piece.text !== "") this.#delta(this.#begin(), (stable) => stable.final(this.#textWith("")));
      return;
    }
    if (piece.text === "") return;
    const item = this.#begin(piece.start);
    const ms = Math.round(1000 * (this.before + piece.end));
    this.events.tell("input_audio_buffer.speech_stopped", { item_id: item.id, audio_end_ms: ms });
    this.#tellCommitted(item);
    this.#complete(item, piece.text, piece.end - piece.start);
    this.#item = undefined;
  }

  #end(error: unknown): void {
    if (error === undefined && !this.settings.detectsTurns && this.#isCommitted)
      this.#complete(this.#begin(), this.#textWith(""), this.recording.seconds);
    else if (error !== undefined && this.#item)
      this.events.tell("conversation.item.input_audio_transcription.failed", {
        item_id: this.#item.id,
        content_index: 0,
        error: { message: error instanceof Error ? error.message : String(error) },
      });
    this.events.onEnd(error);
  }

  /** The text of the pieces, and of the one that is still being said. */
  #textWith(partial: string): string {
    return joinTexts([...this.#pieces.map(({ text }) => text), partial]);
  }

  /** @param start seconds of the stretch, where speech is found to begin */
  #begin(start?: number): Item {
    if (this.#item) return this.#item;
    const { item_id: id, previous_item_id: previous } = this.events.nextItem();
    this.#item = { id, previous, text: new StableText() };
    if (this.settings.detectsTurns && start !== undefined) {
      const ms = Math.round(1000 * (this.before + start));
      this.events.tell("input_audio_buffer.speech_started", { item_id: id, audio_start_ms: ms });
    }
    return this.#item;
  }

  #tellCommitted({ id, previous }: Item): void {
    this.events.tell("input_audio_buffer.committed", { item_id: id, previous_item_id: previous });
    const content = [{ type: "input_audio", transcript: null }];
    const item = { id, type: "message", role: "user", status: "completed", content };
    this.events.tell("conversation.item.added", { item, previous_item_id: previous });
  }

  #delta({ id, text }: Item, more: (stable: StableText) => string): void {
    const delta = more(text);
    if (delta === "") return;
    const fields = { item_id: id, content_index: 0, delta };
    this.events.tell("conversation.item.input_audio_transcription.delta", fields);
  }

  #complete(item: Item, transcript: string, seconds: number): void {
    this.#delta(item, (stable) => stable.final(transcript));
    this.events.tell("conversation.item.input_audio_transcription.completed", {
      item_id: item.id,
      content_index: 0,
      transcript,
      usage: usageOf(seconds),
    });
  }
}

function newId(kind: string): string {
  return `${kind}_${randomUUID().replaceAll("-", "")}`;
}
