import { type IncomingMessage, request as open } from "node:http";
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { jsonLog } from "../../src/serve/log.js";
import { type ServeOptions, startServer, type TranscriptionServer } from "../../src/serve/server.js";

/** A server of a test, with what it logs. */
export interface TestServer extends TranscriptionServer {
  port: number;
  lines: Record<string, unknown>[];
}

/** Starts a server that ends with the test, if it has not before. */
export async function testServer(
  models: string | readonly [name: string, source: string][],
  {
    limits,
    pool,
    ...options
  }: Partial<Omit<ServeOptions, "limits">> & { limits?: Partial<ServeOptions["limits"]> } = {},
): Promise<TestServer> {
  const lines: Record<string, unknown>[] = [];
  const named = typeof models === "string" ? ([["tone", models]] as const) : models;
  const server = await startServer({
    models: named.map(([name, source]) => ({ name, source })),
    pool: { threads: 1, torchThreads: 1, together: 32, queue: 256, ...pool },
    port: 0,
    host: "127.0.0.1",
    limits: { maxBytes: 20e6, maxSeconds: 3600, maxUploads: 256, maxSockets: 16, ...limits },
    requestSeconds: 60,
    log: jsonLog((line) => lines.push(JSON.parse(line))),
    ...options,
  });
  let closing: Promise<void> | undefined;
  const close = (graceSeconds: number) => (closing ??= server.close(graceSeconds));
  onTestFinished(() => close(0));
  return { ...server, close, lines, port: Number(new URL(server.url).port) };
}

/** Fields of a form; a file is [bytes, name]. */
export type Fields = readonly (readonly [field: string, value: string | readonly [Uint8Array, string]])[];

export function post(
  { port }: TestServer,
  fields: Fields,
  { path = "/v1/audio/transcriptions", ...init }: RequestInit & { path?: string } = {},
): Promise<Response> {
  const form = new FormData();
  for (const [field, value] of fields)
    if (typeof value === "string") form.append(field, value);
    else form.append(field, new File([new Uint8Array(value[0])], value[1]));
  return fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: form, ...init });
}

/** What a server answers to bytes as they are, which a client sends without its end. */
export function answerTo(port: number, text: string | Buffer, more: Buffer[] = []): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("error", () => {}); // it was broken off
    socket.on("close", () => resolve(answer));
    socket.write(text);
    for (const part of more) socket.write(part);
  });
}

/** An answer under another Host, which fetch does not send. */
export function getAs(port: number, path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = open({ port, host: "127.0.0.1", path, headers }, (response) => {
      response.resume();
      resolve(response);
    });
    request.once("error", reject).end();
  });
}

export type Message = { type: string } & Record<string, unknown>;

/** A WebSocket, with what came over it. */
export class TestSocket {
  readonly messages: Message[] = [];
  /** How it ended. */
  readonly closed: Promise<{ code: number }>;
  readonly #waiting = new Set<() => void>();

  constructor(readonly socket: WebSocket) {
    socket.on("message", (data) => {
      this.messages.push(JSON.parse(String(data)));
      for (const look of this.#waiting) look();
    });
    this.closed = new Promise((resolve) => socket.once("close", (code) => resolve({ code })));
  }

  /** @throws where the server refuses it: an error with the status and the answer */
  static open(
    port: number,
    path: string,
    { protocols = [], ...options }: WebSocket.ClientOptions & { protocols?: string[] } = {},
  ): Promise<TestSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options);
    onTestFinished(() => socket.terminate());
    const opened = new TestSocket(socket);
    return new Promise((resolve, reject) => {
      socket.once("open", () => resolve(opened));
      socket.once("unexpected-response", (_, response) => {
        let body = "";
        response.on("data", (data) => {
          body += data;
        });
        response.on("end", () => reject(Object.assign(new Error(body), { status: response.statusCode })));
      });
      socket.once("error", reject);
    });
  }

  send(message: unknown): void {
    this.socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** The first message for which it holds, once it is there. */
  until(holds: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.messages.find(holds);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      void this.closed.then(() => reject(new Error(`closed after ${JSON.stringify(this.messages)}`)));
      look();
    });
  }

  of(type: string): Message[] {
    return this.messages.filter((message) => message.type === type);
  }
}

/** Samples as 16-bit integers. */
export function pcm16(samples: Float32Array): Buffer {
  return Buffer.from(Int16Array.from(samples, (sample) => 32767 * sample).buffer);
}
