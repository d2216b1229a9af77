import type { RawData, WebSocket } from "ws";
import { type ApiError, apiErrorOf } from "../api-error.js";
import { errorFields } from "../log.js";
import type { Service } from "../service.js";

/** What WebSockets are closed with (RFC 6455, 7.4.1). */
export const CLOSE = {
  done: 1000,
  idle: 1001,
  refused: 1008,
  failed: 1011,
  restart: 1012,
  later: 1013,
} as const;

/** A connection over which nothing came for so long is closed. */
const IDLE_MS = 600_000;
/** Bytes that a client may leave unread before its connection is ended. */
const MOST_UNREAD = 8 * 2 ** 20;

/** One connection: what comes is handed to `take`, what goes is JSON. */
export abstract class LiveSession {
  #closed = false;
  readonly #idle: NodeJS.Timeout;

  constructor(
    readonly socket: WebSocket,
    readonly service: Service,
    /** Of the log's lines. */
    readonly id: string,
  ) {
    socket.on("message", (data: RawData, isBinary: boolean) => this.#receive(data, isBinary));
    this.#idle = setTimeout(() => this.close(CLOSE.idle, "nothing came"), IDLE_MS);
    socket.on("close", (code) => {
      clearTimeout(this.#idle);
      this.#closed = true;
      this.left();
      service.log("info", "socket-closed", { id, code });
    });
    // Such as a frame beyond the limit; `ws` closes the connection with the code for it.
    socket.on("error", (error) => service.log("warn", "socket-error", { id, error: error.message }));
  }

  /** A message of the client. @throws ApiError where it is wrong */
  protected abstract take(data: Buffer, isBinary: boolean): void;

  /** The client is gone: nobody wants the rest. */
  protected abstract left(): void;

  /** Ends it as soon as what came is recognised and sent. */
  abstract finish(): Promise<void>;

  /** Tells the client of an error. */
  protected abstract tellError(error: ApiError): void;

  /** Does nothing once the connection is closed. */
  protected send(event: Readonly<Record<string, unknown>>): void {
    if (this.#closed) return;
    this.socket.send(JSON.stringify(event));
    if (this.socket.bufferedAmount > MOST_UNREAD) {
      this.service.log("warn", "socket-unread", { id: this.id });
      this.socket.terminate();
    }
  }

  protected close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  /** Holds the client back, by TCP, while more audio came than was recognised. */
  protected hold(isFull: boolean): void {
    if (isFull) this.socket.pause();
    else this.socket.resume();
  }

  /** Tells an error, and ends the connection where `code` is given. */
  protected fail(thrown: unknown, code?: number): void {
    const error = apiErrorOf(thrown, this.service.retryAfter);
    if (error.status >= 500)
      this.service.log("error", "socket-failed", { id: this.id, ...errorFields(error.cause ?? thrown) });
    this.tellError(error);
    if (code === undefined) return;
    this.close(error.status >= 500 ? CLOSE.failed : error.status === 429 ? CLOSE.later : code, "");
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#idle.refresh();
    try {
      const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
      this.take(bytes, isBinary);
    } catch (error) {
      this.fail(error);
    }
  }
}

/** @throws SyntaxError where it is no JSON */
export function parsed(text: Buffer): unknown {
  return JSON.parse(text.toString("utf8"));
}
