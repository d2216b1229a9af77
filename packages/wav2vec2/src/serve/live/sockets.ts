import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { AccessRules } from "../access-rules.js";
import { ApiError, apiErrorOf } from "../api-error.js";
import { refuseSocket } from "../refuse-socket.js";
import type { Service } from "../service.js";
import { PlainSession, STREAM_QUERY } from "./plain-session.js";
import { RealtimeSession } from "./realtime-session.js";
import type { LiveSession } from "./session.js";

/** Of a message: 16 MB, as OpenAI takes of an append at most 15. */
const LARGEST_MESSAGE = 16 * 2 ** 20;
/** A connection that does not answer a ping until the next is dead. */
const PING_MS = 30_000;
/** Protocols that are agreed to; others, such as one with a token, are not repeated. */
const PROTOCOLS = ["realtime", "wav2vec2"];

/** Begins a session on a connection, once it is one. */
type Begin = (socket: WebSocket, id: string) => LiveSession;

/** The WebSockets of a server. */
export class LiveSockets {
  readonly #wss = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_MESSAGE,
    perMessageDeflate: false, // audio does not shrink, and small messages could become large ones
    handleProtocols: (given) => PROTOCOLS.find((name) => given.has(name)) ?? false,
  });
  readonly #sessions = new Map<WebSocket, LiveSession>();
  /** Those that have answered the last ping. */
  readonly #alive = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;

  constructor(
    server: Server,
    readonly service: Service,
    readonly rules: AccessRules,
  ) {
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    // Of a handshake that is none, such as another protocol's.
    this.#wss.on("wsClientError", ({ message }, socket) =>
      refuseSocket(
        socket,
        new ApiError(400, `The handshake of a WebSocket is wrong: ${message}.`, {
          code: "malformed_request",
        }),
      ),
    );
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
  }

  /** Lets all sessions say what they have; then ends them, at the latest after so many seconds. */
  async close(graceSeconds: number): Promise<void> {
    clearInterval(this.#pings);
    const finished = Promise.all([...this.#sessions.values()].map((session) => session.finish()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, 1000 * graceSeconds);
    });
    await Promise.race([finished, late]);
    clearTimeout(timer);
    await Promise.all([...this.#sessions.keys()].map((socket) => closed(socket)));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {}); // the client went meanwhile
    const id = randomUUID();
    try {
      const begin = this.#sessionOf(request);
      this.#wss.handleUpgrade(request, socket, head, (ws) => this.#begin(ws, id, begin, request));
    } catch (error) {
      const told = apiErrorOf(error, this.service.retryAfter);
      this.service.log("info", "socket-refused", { id, status: told.status, error: told.message });
      refuseSocket(socket, told);
    }
  }

  /** @throws ApiError where it may not be, or is wrong */
  #sessionOf(request: IncomingMessage): Begin {
    const { service } = this;
    const { pathname, searchParams } = addressOf(request);
    const protocols = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    this.rules.requirePlace(request.headers);
    this.rules.requireToken(request.headers, searchParams, protocols);
    service.requireOpen();
    if (this.#sessions.size >= service.limits.maxSockets)
      throw new ApiError(429, `At most ${service.limits.maxSockets} WebSockets may be open, and are.`, {
        type: "rate_limit_error",
        retryAfter: 5,
      });
    const path = pathname.replace(/^\/v1(?=\/)/, "");
    if (path === "/realtime") {
      const model = searchParams.get("model") ?? undefined;
      service.models.named(model);
      return (socket, id) => new RealtimeSession(socket, service, id, model);
    }
    if (path === "/stream") {
      const query = streamQuery(searchParams);
      const model = service.models.named(query.model);
      return (socket, id) => new PlainSession(socket, service, id, model, query);
    }
    throw new ApiError(404, `There is no WebSocket ${pathname.slice(0, 200)} here.`, {
      type: "not_found_error",
      code: "unknown_url",
    });
  }

  #begin(socket: WebSocket, id: string, begin: Begin, request: IncomingMessage): void {
    const { pathname } = addressOf(request);
    const kind = pathname.endsWith("realtime") ? "realtime" : "plain";
    const { metrics, log } = this.service;
    metrics.sockets.inc({ kind });
    log("info", "socket-opened", { id, kind, client: request.socket.remoteAddress });
    this.#alive.add(socket);
    socket.on("pong", () => this.#alive.add(socket));
    socket.once("close", () => {
      metrics.sockets.dec({ kind });
      this.#sessions.delete(socket);
    });
    this.#sessions.set(socket, begin(socket, id));
  }

  #ping(): void {
    for (const socket of this.#sessions.keys()) {
      if (socket.isPaused) continue; // it is held back, so that its answer is not read either
      if (!this.#alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }
}

/** @throws ApiError 400 where the address is none */
function addressOf({ url = "/" }: IncomingMessage): URL {
  try {
    return new URL(url, "http://server");
  } catch {
    throw new ApiError(400, "The address must be one, but is none.");
  }
}

/** @throws ApiError 400 naming what is wrong */
function streamQuery(given: URLSearchParams) {
  const { token: _, api_key: __, keywords = "", ...rest } = Object.fromEntries(given);
  const words = [keywords, ...given.getAll("keywords[]")].join(",").split(",");
  const result = STREAM_QUERY.strict().safeParse({
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => name !== "keywords[]")),
    keywords: words.map((word) => word.trim()).filter(Boolean),
  });
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const param = path.join(".");
  throw new ApiError(400, `${param || "The query"} is wrong: ${message}.`, { param });
}

/** How long a client may take to answer the end of a connection. */
const CLOSE_MS = 2000;

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) return resolve();
    const timer = setTimeout(() => socket.terminate(), CLOSE_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close();
  });
}
