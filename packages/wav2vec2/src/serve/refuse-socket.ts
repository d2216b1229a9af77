import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiError } from "./api-error.js";

/** How long a client may take to read an answer and close. */
const CLOSE_MS = 2000;

/** Answers on a connection that no response of Node.js's stands for, and ends it. */
export function refuseSocket(socket: Duplex, { status, body, headers }: ApiError): void {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(text)),
    Connection: "close",
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("\r\n")}\r\n\r\n${text}`);
  // One that is still sending would lose the answer if the connection were broken at once.
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS).unref();
  socket.once("close", () => clearTimeout(timer));
}
