import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to one answer instead of the usual. */
export type Mishap =
  | { stall: number } // no more bytes come after so many
  | { status: number }
  | { page: string } // a web page, as of a hotel's network
  | { total: number } // says that the file has so many bytes
  | { pace: number }; // so many bytes at once, with 5 ms between

/** A server of archives on this computer. */
export class ArchiveServer {
  readonly requests: { path: string; range: string | undefined }[] = [];
  /** Whether it knows the header Range. */
  ranges = true;
  /** Whether it says how long its answers are. */
  lengths = true;
  readonly #files = new Map<string, Uint8Array>();
  readonly #mishaps = new Map<string, Mishap[]>();
  readonly #server: Server = createServer((request, response) => this.#serve(request, response));

  static async start(): Promise<ArchiveServer> {
    const server = new ArchiveServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** To give as `--mirror`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/resources`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param path below `resources/`, such as `12/dev-clean.tar.gz` */
  put(path: string, contents: Uint8Array): void {
    this.#files.set(path, contents);
  }

  /** Lets the next answers about a file go wrong, one after another. */
  befall(path: string, ...mishaps: Mishap[]): void {
    this.#mishaps.set(path, mishaps);
  }

  /** Breaks all connections. */
  hangUp(): void {
    this.#server.closeAllConnections();
  }

  get askedRanges(): (string | undefined)[] {
    return this.requests.map(({ range }) => range);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url!.replace(/^\/resources\//, "");
    const { range } = request.headers;
    this.requests.push({ path, range });
    const contents = this.#files.get(path);
    const mishap = this.#mishaps.get(path)?.shift();
    if (mishap && "status" in mishap) {
      response.writeHead(mishap.status).end();
      return;
    }
    if (mishap && "page" in mishap) {
      response.writeHead(200, { "content-type": "text/html" }).end(mishap.page);
      return;
    }
    if (!contents) {
      response.writeHead(404).end();
      return;
    }
    const from = this.ranges && range !== undefined ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : undefined;
    if (from !== undefined && from >= contents.length) {
      response.writeHead(416, { "content-range": `bytes */${contents.length}` }).end();
      return;
    }
    const body = contents.subarray(from ?? 0);
    const total = mishap && "total" in mishap ? mishap.total : contents.length;
    response.writeHead(from === undefined ? 200 : 206, {
      "content-type": "application/x-gzip",
      ...(this.lengths ? { "content-length": total - (from ?? 0) } : {}),
      ...(from === undefined
        ? {}
        : { "content-range": `bytes ${from}-${contents.length - 1}/${this.lengths ? total : "*"}` }),
    });
    if (mishap && "stall" in mishap) {
      response.write(body.subarray(0, mishap.stall));
    } else if (mishap && "pace" in mishap) {
      sendSlowly(response, body, mishap.pace);
    } else {
      response.end(body);
    }
  }
}

function sendSlowly(response: ServerResponse, body: Uint8Array, size: number): void {
  if (response.destroyed) return;
  if (body.length <= size) response.end(body);
  else
    response.write(body.subarray(0, size), () =>
      setTimeout(() => sendSlowly(response, body.subarray(size), size), 5),
    );
}
