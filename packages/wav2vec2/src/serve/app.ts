import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { securityHeaders } from "../http/access.js";
import { type PageFiles, servePage } from "../http/page-files.js";
import type { AccessRules } from "./access-rules.js";
import { ApiError, apiErrorOf } from "./api-error.js";
import { drain } from "./drain.js";
import { homePage } from "./home-page.js";
import { errorFields } from "./log.js";
import type { ServedModel } from "./models.js";
import { openApi } from "./openapi.js";
import type { Service } from "./service.js";
import type { ModelAnswer } from "./transcription/schema.js";
import { ClientLeft, type NodeContext, transcribeUpload } from "./transcription/transcribe.js";

/** What logs of web servers write for a client that left. */
const CLIENT_LEFT = 499;
const OPEN = ["/health", "/ready"];
/** Paths that metrics tell apart. */
const ROUTES = ["/audio/transcriptions", "/audio/translations", "/models", "/metrics", "/openapi.json", "/"];

/** A page that recognises in the browser: WebAssembly with threads, its own scripts alone, the microphone. */
const PAGE_HEADERS = {
  "Content-Security-Policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; media-src 'self' blob:; img-src 'self' blob: data:; " +
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Permissions-Policy": "microphone=(self)",
};

/** @param page files that are served at `/`; default: a list of what there is */
export function createApp(service: Service, rules: AccessRules, page?: PageFiles): Hono {
  const app = new Hono<{ Bindings: NodeContext["env"]; Variables: NodeContext["var"] }>();
  app.use((context, next) => watched(context, next, service));
  app.onError((error, context) => refusal(context as NodeContext, error, service));
  app.use(securityHeaders());
  app.use(async (context, next) => {
    const { incoming } = context.env;
    const { origin } = incoming.headers;
    const isAsking = context.req.method === "OPTIONS";
    if (!OPEN.includes(context.req.path)) rules.requirePlace(incoming.headers);
    if (origin !== undefined && rules.allowsOrigin(origin)) {
      context.header("Access-Control-Allow-Origin", origin);
      context.header("Vary", "Origin");
      context.header("Cross-Origin-Resource-Policy", "cross-origin");
      if (isAsking) {
        context.header("Access-Control-Allow-Methods", "GET, POST");
        const asked = context.req.header("access-control-request-headers") ?? "";
        context.header("Access-Control-Allow-Headers", asked);
        context.header("Access-Control-Max-Age", "600");
        return context.body(null, 204);
      }
    }
    return next();
  });
  app.get("/health", (context) => context.json({ status: "ok" }));
  app.get("/ready", async (context) => {
    try {
      await service.requireReady();
      return context.json({ status: "ready", models: service.models.all.map(({ name }) => name) });
    } catch (error) {
      service.log("warn", "not-ready", errorFields(error));
      return context.json({ status: "not ready", error: (error as Error).message }, 503);
    }
  });
  const serveFiles = page && servePage(page, PAGE_HEADERS);
  app.get("/", (context, next) =>
    serveFiles ? serveFiles(context, next) : context.html(homePage(service.models)),
  );
  // The page's files are no secret: it asks for the token itself.
  if (page && serveFiles)
    app.get("*", (context, next) => (page.has(context.req.path) ? serveFiles(context, next) : next()));
  app.use(async (context, next) => {
    rules.requireToken(context.env.incoming.headers);
    return next();
  });
  app.get("/metrics", async (context) => {
    const { registry } = service.metrics;
    return context.body(await registry.metrics(), 200, { "Content-Type": registry.contentType });
  });
  const description = openApi();
  app.get("/openapi.json", (context) => context.json(description));
  for (const base of ["", "/v1"]) {
    app.post(`${base}/audio/transcriptions`, (context) => transcribeUpload(context as NodeContext, service));
    app.post(`${base}/audio/translations`, () => {
      throw new ApiError(400, "Recordings are not translated here. Send them to /v1/audio/transcriptions.", {
        code: "unsupported",
      });
    });
    app.get(`${base}/models`, (context) =>
      context.json({ object: "list", data: service.models.all.map(modelAnswer) }),
    );
    app.get(`${base}/models/:name{.+}`, (context) =>
      context.json(modelAnswer(service.models.exactly(context.req.param("name")))),
    );
  }
  app.all("*", (context) => {
    const { method, path } = context.req;
    throw new ApiError(
      404,
      `There is no ${method} ${path.slice(0, 200)} here. /openapi.json tells what there is.`,
      {
        type: "not_found_error",
        code: "unknown_url",
      },
    );
  });
  return app as unknown as Hono;
}

function modelAnswer({ name, created }: ServedModel): ModelAnswer {
  return { id: name, object: "model", created, owned_by: "wav2vec2" };
}

/** Logs and counts a request at the end of its answer. */
async function watched(context: NodeContext, next: () => Promise<void>, service: Service): Promise<void> {
  const { outgoing, incoming } = context.env;
  const begin = performance.now();
  const given = context.req.header("x-request-id") ?? "";
  const id = /^[\w.-]{1,100}$/.test(given) ? given : randomUUID();
  const facts: Record<string, unknown> = { id };
  context.set("facts", facts);
  context.header("X-Request-Id", id);
  outgoing.once("close", () => {
    const { method, path } = context.req;
    const status = outgoing.writableFinished ? outgoing.statusCode : CLIENT_LEFT;
    const seconds = (performance.now() - begin) / 1000;
    const bare = path.replace(/^\/v1(?=\/)/, "");
    const route = [...ROUTES, ...OPEN].includes(bare)
      ? bare
      : bare.startsWith("/models/")
        ? "/models"
        : "other";
    service.metrics.requests.inc({ route, method, status });
    service.metrics.requestSeconds.observe({ route }, seconds);
    const level = status >= 500 ? "error" : "info";
    const quiet = OPEN.includes(path) || path === "/metrics";
    if (quiet && status < 400) return;
    const client = incoming.socket.remoteAddress;
    const ms = Math.round(1000 * seconds);
    service.log(level, "request", { method, path: path.slice(0, 200), status, ms, client, ...facts });
  });
  await next();
}

async function refusal(context: NodeContext, error: unknown, service: Service): Promise<Response> {
  if (error instanceof ClientLeft) return context.body(null, CLIENT_LEFT as 400); // nobody reads it
  const told = apiErrorOf(error, service.retryAfter);
  const facts = context.get("facts");
  facts.error = told.code ?? told.message;
  if (told.status >= 500)
    service.log("error", "failed", { id: facts.id, ...errorFields(told.cause ?? error) });
  for (const [name, value] of Object.entries(told.headers)) context.header(name, value);
  if (!(await drain(context.env.incoming))) context.header("Connection", "close");
  return context.json(told.body, told.status as 400);
}
