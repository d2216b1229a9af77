import { createAdaptorServer } from "@hono/node-server";
import { isLoopback } from "../../http/access.js";
import { listen, urlOf } from "../../http/listen.js";
import { makeToken } from "../../http/token.js";
import { createApp } from "./app.js";
import { LiveRuns } from "./live-runs.js";
import { loadDashboardPage } from "./page.js";
import { RunsRoot } from "./runs-root.js";

export interface DashboardOptions {
  /** The directory that runs lie below. */
  directory: string;
  /** 0 for any that is free. */
  port: number;
  /** The address to listen on. */
  host: string;
  /** What must be known to look. Default: on this machine alone nothing, else one that is made */
  token?: string | undefined;
}

export interface Dashboard {
  /** Where to look, without the token. */
  url: string;
  token: string | undefined;
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * Starts the server of the dashboard.
 *
 * @throws UserError where the directory is missing or a file, the port is taken or the address is not this machine's
 */
export async function startDashboard({
  directory,
  port,
  host,
  token: given,
}: DashboardOptions): Promise<Dashboard> {
  const root = await RunsRoot.at(directory);
  const token = given ?? (isLoopback(host) ? undefined : makeToken());
  const live = new LiveRuns(root);
  const page = loadDashboardPage();
  let answer: ReturnType<typeof createApp>["fetch"] | undefined;
  const server = createAdaptorServer({ fetch: (request, env) => answer!(request, env) });
  const address = await listen(server, port, host, "another dashboard");
  answer = createApp({ live, page, token, port: address.port }).fetch;
  return {
    url: urlOf(host, address.port),
    token,
    async close() {
      live.close();
      const closed = new Promise<void>((done) => server.close(() => done()));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}
