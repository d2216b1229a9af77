import { createReadStream, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves a directory as the simplest of web servers do. */
export class StaticServer {
  readonly #server: Server;
  /** Paths that were asked for. */
  readonly asked: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(directory: string, headers: Record<string, string> = {}): Promise<StaticServer> {
    const server = createServer((request, response) => {
      const path = normalize(decodeURIComponent(new URL(request.url!, "http://localhost").pathname));
      serving.asked.push(path);
      const file = join(directory, path.endsWith("/") ? `${path}index.html` : path);
      const size = statSync(file, { throwIfNoEntry: false })?.size;
      if (size === undefined) {
        response.writeHead(404).end();
        return;
      }
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type, "Content-Length": size, ...headers });
      createReadStream(file).pipe(response);
    });
    const serving = new StaticServer(server);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return serving;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((stopped) => this.#server.close(stopped));
  }
}
