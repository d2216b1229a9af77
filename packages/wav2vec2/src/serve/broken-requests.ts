import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "./api-error.js";
import { refuseSocket } from "./refuse-socket.js";
import type { Service } from "./service.js";

/** What Node.js's HTTP server tells of a request that it cannot read. */
type ClientError = Error & { code?: string; reason?: string };

/**
 * Answers in OpenAI's form what Node.js would answer by itself with a bare status: requests that are no HTTP, whose headers
 * are too large, or that do not come in time, and expectations and methods that it does not know.
 *
 * @param requestSeconds that a request may take to come
 */
export function answerBrokenRequests(server: Server, service: Service, requestSeconds: number): void {
  const responses = new WeakMap<Duplex, ServerResponse<IncomingMessage>>();
  const refused = new WeakSet<Duplex>();
  const refuse = (socket: Duplex, told: ApiError, error: string): void => {
    if (refused.has(socket)) return; // what comes behind a fault is one again
    refused.add(socket);
    const client = "remoteAddress" in socket ? socket.remoteAddress : undefined;
    service.log("info", "request-broken", { status: told.status, client, error });
    service.metrics.requests.inc({ route: "broken", method: "", status: told.status });
    refuseSocket(socket, told);
  };
  server.on("request", (request, response) => responses.set(request.socket, response));
  server.on("clientError", (error: ClientError, socket) => {
    const { code = "" } = error;
    if (code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const told = apiErrorOfBroken(error, server, requestSeconds);
    const response = responses.get(socket);
    if (response === undefined || response.writableFinished) return refuse(socket, told, code);
    if (response.headersSent && !response.req.complete) return void socket.destroy(); // half of an answer is out
    // Behind a request that is whole, another that is broken: each gets its own answer, in order.
    if (response.req.complete) response.once("finish", () => refuse(socket, told, code));
    else refuse(socket, told, code);
  });
  server.on("checkExpectation", ({ headers, socket }: IncomingMessage) => {
    const message = `The header Expect must be 100-continue or left out, but is ${JSON.stringify(headers.expect)}.`;
    refuse(socket, new ApiError(417, message, { code: "expectation_failed" }), "expectation");
  });
  server.on("connect", (_, socket) => {
    const message = "The server must be asked for its own addresses, and is no proxy. Send GET or POST.";
    refuse(socket, new ApiError(405, message, { code: "method_not_allowed" }), "CONNECT");
  });
}

function apiErrorOfBroken(
  { code, reason, message }: ClientError,
  { headersTimeout }: Server,
  seconds: number,
): ApiError {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new ApiError(
      408,
      `The request must come within ${seconds} s, its headers within ${headersTimeout / 1000} s, but did not. Send it again.`,
      { code: "request_timeout" },
    );
  if (code === "HPE_HEADER_OVERFLOW")
    return new ApiError(431, "The headers of a request must be smaller than 16 KB together, but are not.", {
      code: "headers_too_large",
    });
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return new ApiError(413, "The extensions of chunks must be smaller than 16 KB together, but are not.", {
      code: "chunk_extensions_too_large",
    });
  return new ApiError(400, `The request must be HTTP/1.1, but is not: ${reason || message}.`, {
    code: "malformed_request",
  });
}
