import type { AddressInfo } from "node:net";
import { createAdaptorServer, type ServerType } from "@hono/node-server";
import { UserError } from "../../errors.js";
import { isLoopback, makeToken } from "./access.js";
import { createApp } from "./app.js";
import { LiveRuns } from "./live-runs.js";
import { loadPageFiles } from "./page-files.js";
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
  const page = loadPageFiles();
  let answer: ReturnType<typeof createApp>["fetch"] | undefined;
  const server = createAdaptorServer({ fetch: (request, env) => answer!(request, env) });
  const address = await listen(server, port, host);
  answer = createApp({ live, page, token, port: address.port }).fetch;
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return {
    url: `http://${name.includes(":") ? `[${name}]` : name}:${address.port}/`,
    token,
    async close() {
      live.close();
      const closed = new Promise<void>((done) => server.close(() => done()));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: ServerType, port: number, host: string): Promise<AddressInfo> {
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => fail(explained(error, port, host)));
    server.listen(port, host, () => done(server.address() as AddressInfo));
  });
}

function explained(error: NodeJS.ErrnoException, port: number, host: string): Error {
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new UserError(
        `Port ${port} must be free, but another program listens there, perhaps another dashboard. Give another with --port ${port + 1}, or 0 for any.`,
        cause,
      );
    case "EACCES":
      return new UserError(
        `Port ${port} must be one that you may open, but is not. Give one above 1023 with --port.`,
        cause,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new UserError(
        `--host must be an address of this machine, but is ${host}. Give 127.0.0.1 for this machine alone, or 0.0.0.0 for all its networks.`,
        cause,
      );
    default:
      return error;
  }
}
