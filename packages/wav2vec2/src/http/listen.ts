import type { AddressInfo } from "node:net";
import type { ServerType } from "@hono/node-server";
import { UserError } from "../errors.js";

/**
 * @param perhaps what else of this project may have the port
 * @throws UserError where the port is taken or the address is not this machine's
 */
export function listen(
  server: ServerType,
  port: number,
  host: string,
  perhaps: string,
): Promise<AddressInfo> {
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => fail(explained(error, port, host, perhaps)));
    server.listen(port, host, () => done(server.address() as AddressInfo));
  });
}

/** Where a browser of this machine reaches it. */
export function urlOf(host: string, port: number): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}/`;
}

function explained(error: NodeJS.ErrnoException, port: number, host: string, perhaps: string): Error {
  const cause = { cause: error };
  switch (error.code) {
    case "EADDRINUSE":
      return new UserError(
        `Port ${port} must be free, but another program listens there, perhaps ${perhaps}. Give another with --port ${port + 1}, or 0 for any.`,
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
