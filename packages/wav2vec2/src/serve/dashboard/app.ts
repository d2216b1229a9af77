import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { isLoopback, localHostOnly, securityHeaders } from "../../http/access.js";
import { type PageFiles, servePage } from "../../http/page-files.js";
import { serveClip } from "./audio.js";
import { serveEvents } from "./events.js";
import type { LiveRuns } from "./live-runs.js";
import type { XAxis } from "./protocol.js";
import type { RunReader } from "./run-reader.js";
import { TokenGate } from "./token-gate.js";

/** More pixels than a screen has, and runs than can be told apart. */
const MOST_COLUMNS = 4_000;
const MOST_NAMES = 200;
const MOST_FOLLOWED = 100;

export interface AppOptions {
  live: LiveRuns;
  page: PageFiles;
  /** Must be known to see anything but the empty page. Default: none, and only this machine's names are answered to */
  token?: string | undefined;
  port: number;
}

/** Everything the dashboard answers to: the page's files, and below `/api/` what it shows. Nothing can be changed by a request. */
export function createApp({ live, page, token, port }: AppOptions): Hono {
  const app = new Hono();
  app.use(securityHeaders());
  if (token === undefined) {
    app.use(
      localHostOnly((context) =>
        context.text(
          "The Host of a request must be localhost, as no token is asked for here. Start the dashboard with --token to reach it by other names.\n",
          403,
        ),
      ),
    );
  }
  // Over a network; on this machine it would only cost time that training wants.
  app.use("/api/*", async (context, next) => {
    const address = context.env === undefined ? undefined : getConnInfo(context).remote.address;
    return address === undefined || isLoopback(address) ? next() : compress()(context, next);
  });
  if (token !== undefined) {
    const gate = new TokenGate(token, port);
    app.post("/api/session", async (context) => {
      const body: unknown = await context.req.json().catch(() => undefined);
      const given = (body as { token?: unknown } | undefined)?.token;
      const isRight = typeof given === "string" && (await gate.enter(context, given));
      return isRight
        ? context.body(null, 204)
        : context.json(
            { error: "The token must be the one that the dashboard printed, but is another." },
            401,
          );
    });
    app.get("/", async (context, next) => {
      const given = context.req.query("token");
      if (given === undefined) return next();
      await gate.enter(context, given);
      return context.redirect("/", 303); // away from the address bar; a wrong one is asked for again
    });
    app.use("/api/*", gate.middleware());
  }
  app.use("/api/*", async (context, next) => {
    await next();
    if (!context.res.headers.has("Cache-Control")) context.res.headers.set("Cache-Control", "no-store");
  });

  app.get("/api/session", (context) => context.body(null, 204)); // whether the token is known
  app.get("/api/runs", async (context) => {
    await live.list.look();
    return context.json({ root: live.root.path, runs: live.list.since(0).runs });
  });
  app.get("/api/events", (context) =>
    serveEvents(context, live, {
      list: context.req.query("list") !== undefined,
      runs: (context.req.queries("run") ?? []).slice(0, MOST_FOLLOWED),
    }),
  );
  /** @returns 404 where there is no such run, or no longer */
  const ofRun = (
    path: string,
    answer: (reader: RunReader, query: (name: string) => string) => Promise<unknown>,
  ) =>
    app.get(path, async (context) => {
      const reader = await live.reader(context.req.query("run") ?? "");
      const value = reader && (await answer(reader, (name) => context.req.query(name) ?? ""));
      return value
        ? context.json(value)
        : context.json({ error: "There is no such run, or no longer." }, 404);
    });
  ofRun("/api/run", (reader) => reader.overview());
  ofRun("/api/transcripts", (reader, query) => reader.transcripts(Number(query("step"))));
  ofRun("/api/coded-clips", (reader, query) => reader.codedClips(Number(query("step"))));
  ofRun("/api/codebooks", (reader) => reader.codebooks());
  ofRun("/api/histograms", (reader, query) => reader.histograms(query("name")));
  ofRun("/api/log", (reader) => reader.log());
  app.get("/api/curves", async (context) => {
    const reader = await live.reader(context.req.query("run") ?? "");
    if (reader === undefined) return context.json({ error: "There is no such run, or no longer." }, 404);
    const query = (name: string): number | undefined => finite(context.req.query(name));
    const x = context.req.query("x");
    const table = context.req.query("table") === "system" ? "system" : "metrics";
    const names = (context.req.queries("name") ?? []).slice(0, MOST_NAMES);
    return context.json(
      await reader.curves(table, names, {
        x: x === "time" || x === "audio" ? (x satisfies XAxis) : "step",
        from: query("from"),
        to: query("to"),
        columns: Math.min(MOST_COLUMNS, Math.max(1, Math.round(query("columns") ?? 500))),
        smoothing: Math.min(0.9999, Math.max(0, query("smoothing") ?? 0)),
      }),
    );
  });
  app.get("/api/audio", async (context) => {
    const reader = await live.reader(context.req.query("run") ?? "");
    if (reader === undefined) return context.json({ error: "There is no such run, or no longer." }, 404);
    return serveClip(context, live.root, reader.id, context.req.query("clip") ?? "");
  });
  app.all("/api/*", (context) => context.json({ error: "The dashboard answers to no such request." }, 404));
  app.get("*", servePage(page));
  return app;
}

function finite(text: string | undefined): number | undefined {
  const value = text ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
