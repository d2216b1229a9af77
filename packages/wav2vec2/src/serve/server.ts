import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener, RequestError } from "@hono/node-server";
import { isLoopback } from "../http/access.js";
import { listen, urlOf } from "../http/listen.js";
import type { PageFile } from "../http/page-file.js";
import { loadListedFiles, loadPageFiles, type PageFiles } from "../http/page-files.js";
import type { RecognizerPoolOptions } from "../recognition/pool/recognizer-pool.js";
import { AccessRules } from "./access-rules.js";
import { ApiError } from "./api-error.js";
import { createApp } from "./app.js";
import { answerBrokenRequests } from "./broken-requests.js";
import { LiveSockets } from "./live/sockets.js";
import { errorFields, type Log } from "./log.js";
import { ServeMetrics } from "./metrics.js";
import type { ModelSource } from "./model-source.js";
import { ServedModels } from "./models.js";
import { type ServeLimits, Service } from "./service.js";

export interface ServeOptions {
  /** The first answers where none is asked for. */
  models: readonly ModelSource[];
  /** Of each model's pool. */
  pool: Omit<RecognizerPoolOptions, "onBatch">;
  /** 0 for any that is free. */
  port: number;
  /** The address to listen on. */
  host: string;
  /** What clients must know. Default: nothing, and where the address is this machine's own, only its names are answered to */
  token?: string | undefined;
  corsOrigins?: readonly string[] | undefined;
  limits: ServeLimits;
  /** A static page that is served at `/`: its directory, or its files. */
  page?: string | readonly PageFile[] | undefined;
  /** Seconds that a request may take to come, headers and all of its body. */
  requestSeconds: number;
  log: Log;
}

export interface TranscriptionServer {
  url: string;
  /** Loads the models anew; those that are there answer until then, and go on where it fails. */
  reload(): Promise<void>;
  /** Takes nothing new, finishes what runs, for so many seconds at most, and ends. */
  close(graceSeconds: number): Promise<void>;
}

/** A request's headers come at once, or are sent to keep a connection busy. */
const HEADER_SECONDS = 15;
/** How often it is looked for requests that take too long. */
const LOOK_SECONDS = 2;

function pageOf(page: string | readonly PageFile[]): PageFiles {
  return typeof page === "string" ? loadPageFiles(page, "a page to serve") : loadListedFiles(page);
}

/** Of a request without a Host, or with an address that is none: it never comes to the app. */
function wrongAddress(cause: unknown): Response {
  if (!(cause instanceof RequestError)) throw cause;
  const message = `The request's address is wrong: ${cause.message}.`;
  const { body, status } = new ApiError(400, message, { code: "malformed_request" });
  return Response.json(body, { status });
}

/**
 * Starts a server that recognises speech under OpenAI's interface.
 *
 * @throws UserError where a model cannot be used, the port is taken or the address is not this machine's
 */
export async function startServer(options: ServeOptions): Promise<TranscriptionServer> {
  const { host, port, token, limits, log, pool, requestSeconds, corsOrigins = [] } = options;
  const page = options.page === undefined ? undefined : pageOf(options.page);
  const metrics = new ServeMetrics();
  const models = await ServedModels.load(options.models, (model) => ({
    ...pool,
    onBatch: (windows) => metrics.batchWindows.observe({ model }, windows),
  }));
  metrics.watch(models);
  const directory = await mkdtemp(join(tmpdir(), "wav2vec2-serve-"));
  const service = new Service(models, limits, metrics, log, directory, pool.language);
  const localOnly = token === undefined && isLoopback(host);
  const rules = new AccessRules({ token, localOnly, corsOrigins });
  const app = createApp(service, rules, page);
  const server = createServer(
    {
      headersTimeout: 1000 * Math.min(HEADER_SECONDS, requestSeconds),
      requestTimeout: 1000 * requestSeconds,
      connectionsCheckingInterval: 1000 * LOOK_SECONDS,
      requireHostHeader: false, // answered here, as the other faults of a request
    },
    getRequestListener(app.fetch, { autoCleanupIncoming: true, errorHandler: wrongAddress }),
  );
  answerBrokenRequests(server, service, requestSeconds);
  // Such clients ask before they send: the handler says whether they may.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  const sockets = new LiveSockets(server, service, rules);
  const end = async (): Promise<void> => {
    await models.close();
    await rm(directory, { recursive: true, force: true });
  };
  let place: { port: number };
  try {
    place = await listen(server, port, host, "another server");
  } catch (error) {
    await end();
    throw error;
  }
  return {
    url: urlOf(host, place.port),
    async reload() {
      try {
        await models.reload();
        log("info", "reloaded", { models: models.all.map(({ name }) => name) });
      } catch (error) {
        log("error", "reload-failed", errorFields(error));
      }
    },
    async close(graceSeconds) {
      service.draining = true;
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), 1000 * graceSeconds);
      await sockets.close(graceSeconds);
      await closed;
      clearTimeout(timer);
      await end();
    },
  };
}
