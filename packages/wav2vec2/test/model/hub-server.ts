import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Path in the repository and contents. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface HubRequest {
  host: "hub" | "cdn";
  method: string;
  path: string;
  authorization: string | undefined;
  range: string | undefined;
}

interface Model {
  /** By commit. */
  commits: Map<string, () => Files>;
  /** Branches and tags. */
  refs: Map<string, string>;
  private: boolean;
  gated: boolean;
}

/** Files of at least this size are "large": kept by SHA-256 on another host, as Git LFS and Xet files are. */
const LARGE = 1000;
/** Files on a page of a listing; the real Hub has 1000. */
const PAGE = 4;

/**
 * A Hugging Face Hub on this computer, with the routes, headers and refusals that its clients depend on:
 * https://huggingface.co/docs/hub/api and huggingface_hub's file_download.py. Large files are redirected to a second
 * port, which refuses requests that carry a token, as a store with signed addresses does.
 */
export class HubServer {
  readonly requests: HubRequest[] = [];
  readonly #models = new Map<string, Model>();
  readonly #cuts = new Map<string, number[]>();
  readonly #paces = new Map<string, { parts: number; pause: number }>();
  readonly #stalls = new Map<string, number>();
  readonly #lies = new Map<string, Uint8Array>();
  readonly #hub: Server;
  readonly #cdn: Server;
  /** The only token that is accepted. */
  token = "hf_right";
  /** Answer to everything, to play a Hub in trouble. */
  trouble: { status: number; text: string } | undefined;
  /** Whether the Hub takes requests and never answers. */
  silent = false;
  /** Whether the store of large files knows the header Range. */
  ranges = true;

  private constructor() {
    this.#hub = createServer((request, response) => this.#serve("hub", request, response));
    this.#cdn = createServer((request, response) => this.#serve("cdn", request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const part of [server.#hub, server.#cdn]) {
      await new Promise<void>((resolve) => part.listen(0, "127.0.0.1", resolve));
    }
    return server;
  }

  get url(): string {
    return addressOf(this.#hub);
  }

  /** The host of large files. */
  get storeUrl(): string {
    return addressOf(this.#cdn);
  }

  async close(): Promise<void> {
    for (const part of [this.#hub, this.#cdn]) {
      part.closeAllConnections();
      await new Promise((resolve) => part.close(resolve));
    }
  }

  /** Adds a commit, its files read when they are asked for, and lets `ref` point to it. Returns the commit's hash. */
  commit(
    id: string,
    files: Files | (() => Files),
    { ref = "main", ...access }: { ref?: string; private?: boolean; gated?: boolean } = {},
  ): string {
    const model = this.#models.get(id) ?? {
      commits: new Map<string, () => Files>(),
      refs: new Map<string, string>(),
      private: false,
      gated: false,
    };
    this.#models.set(id, Object.assign(model, access));
    const hash = sha("sha1", `${id} ${ref} ${model.commits.size}`);
    model.commits.set(hash, typeof files === "function" ? files : () => files);
    model.refs.set(ref, hash);
    return hash;
  }

  /** Cuts the next connections that carry a file's body, each after so many bytes. */
  cut(path: string, ...bytes: number[]): void {
    this.#cuts.set(path, bytes);
  }

  /** Takes a branch or tag away. */
  drop(id: string, ref: string): void {
    this.#models.get(id)!.refs.delete(ref);
  }

  /** Lets the next body of a file come in this many equal parts, with so many milliseconds between them. */
  pace(path: string, parts: number, pause: number): void {
    this.#paces.set(path, { parts, pause });
  }

  /** Lets the next body of a file come to a halt after so many bytes, with its connection open. */
  stall(path: string, bytes: number): void {
    this.#stalls.set(path, bytes);
  }

  /** The files of a model's main branch. */
  files(id: string): Files {
    const { commits, refs } = this.#models.get(id)!;
    return commits.get(refs.get("main")!)!();
  }

  /** Sends other contents than those that are listed. */
  lie(path: string, contents: Uint8Array): void {
    this.#lies.set(path, contents);
  }

  /** Names of the files whose bodies were sent, at least in part. */
  get bodies(): string[] {
    return this.requests
      .filter(({ host, method, path }) => method === "GET" && (host === "cdn" || path.includes("/resolve/")))
      .map(({ path }) => path.split("/").at(-1)!);
  }

  #serve(host: "hub" | "cdn", request: IncomingMessage, response: ServerResponse): ServerResponse {
    const path = decodeURIComponent(new URL(request.url!, this.url).pathname);
    const { authorization, range } = request.headers;
    this.requests.push({ host, method: request.method!, path, authorization, range });
    if (host === "cdn") {
      if (authorization !== undefined)
        return refuse(response, 400, undefined, "Only one auth mechanism allowed");
      return this.#sendLarge(path, request, response);
    }
    if (this.silent) return response;
    if (this.trouble) {
      return response.writeHead(this.trouble.status, { "content-type": "text/html" }).end(this.trouble.text);
    }
    const [, api, id, kind, revision, file] =
      /^(\/api\/models)?\/(.+?)\/(revision|tree|resolve)\/([^/]+(?:\/pr\/\d+)?)(?:\/(.+))?$/.exec(path) ?? [];
    const model = this.#models.get(id ?? "");
    if (authorization !== undefined && authorization !== `Bearer ${this.token}`) {
      return refuse(response, 401, undefined, "Invalid credentials in Authorization header");
    }
    const known = authorization !== undefined;
    if (!model || (model.private && !known)) {
      return refuse(response, known ? 404 : 401, "RepoNotFound", known ? "Repository not found" : undefined);
    }
    const commit = model.refs.get(revision!) ?? revision!;
    const files = model.commits.get(commit)?.();
    if (!files) return refuse(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
    if (api !== undefined && kind === "revision") {
      const { gated } = model;
      const info = {
        _id: "1",
        id,
        modelId: id,
        sha: commit,
        private: model.private,
        gated,
        siblings: [],
        tags: [],
      };
      return sendJson(response, {
        ...info,
        downloads: 0,
        likes: 0,
        lastModified: "2026-01-01T00:00:00.000Z",
      });
    }
    if (api !== undefined) return this.#sendTree(files, request, response);
    if (model.gated && !known)
      return refuse(response, 401, "GatedRepo", `Access to model ${id} is restricted.`);
    const contents = bytesOf(files[file!]);
    if (!contents) return refuse(response, 404, "EntryNotFound", "Entry not found");
    response.setHeader("x-repo-commit", commit);
    const { oid, lfs } = entryOf(file!, contents);
    if (lfs) {
      response.writeHead(302, {
        location: `${this.storeUrl}/${id}/${commit}/${file}`,
        "x-linked-etag": `"${lfs.oid}"`,
        "x-linked-size": contents.length,
      });
      return response.end();
    }
    return this.#send(file!, contents, { etag: `"${oid}"` }, request, response);
  }

  /** A page of the listing, with the next page's address in the header Link. */
  #sendTree(files: Files, request: IncomingMessage, response: ServerResponse): ServerResponse {
    const url = new URL(request.url!, this.url);
    const start = Number(url.searchParams.get("cursor") ?? 0);
    const names = Object.keys(files);
    if (start + PAGE < names.length) {
      url.searchParams.set("cursor", String(start + PAGE));
      response.setHeader("link", `<${url}>; rel="next"`);
    }
    return sendJson(
      response,
      names.slice(start, start + PAGE).map((name) => entryOf(name, bytesOf(files[name])!)),
    );
  }

  #sendLarge(path: string, request: IncomingMessage, response: ServerResponse): ServerResponse {
    const [, id, commit, file] = /^\/(.+)\/([0-9a-f]{40})\/(.+)$/.exec(path) ?? [];
    const contents = bytesOf(this.#models.get(id ?? "")?.commits.get(commit!)?.()[file!]);
    if (!contents) return refuse(response, 404);
    return this.#send(file!, contents, { etag: `"${sha("sha256", contents)}"` }, request, response);
  }

  #send(
    file: string,
    listed: Uint8Array,
    headers: Record<string, string>,
    request: IncomingMessage,
    response: ServerResponse,
  ): ServerResponse {
    const contents = this.#lies.get(file) ?? listed;
    const from = this.ranges
      ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? Number.NaN)
      : Number.NaN;
    const body = contents.subarray(from || 0);
    response.writeHead(Number.isNaN(from) ? 200 : 206, {
      ...headers,
      "content-length": body.length,
      ...(Number.isNaN(from)
        ? {}
        : { "content-range": `bytes ${from}-${contents.length - 1}/${contents.length}` }),
    });
    if (request.method === "HEAD") return response.end();
    const pace = this.#paces.get(file);
    this.#paces.delete(file);
    if (pace !== undefined) return sendSlowly(body, pace, response);
    const stall = this.#stalls.get(file);
    this.#stalls.delete(file);
    const cut = this.#cuts.get(file)?.shift();
    if (stall === undefined && cut === undefined) return response.end(body);
    response.write(body.subarray(0, stall ?? cut), () => {
      // Behind the bytes, which a reset could overtake; a client that is told of the end may drop what it has not read.
      if (stall === undefined) setTimeout(() => response.socket?.end(), 20);
    });
    return response;
  }
}

function sendSlowly(
  body: Uint8Array,
  { parts, pause }: { parts: number; pause: number },
  response: ServerResponse,
): ServerResponse {
  const size = Math.ceil(body.length / parts);
  const send = (start: number): void => {
    if (start + size >= body.length) response.end(body.subarray(start));
    else
      response.write(body.subarray(start, start + size), () => setTimeout(() => send(start + size), pause));
  };
  send(0);
  return response;
}

/** A small file has git's checksum, a large one also that of its contents. */
function entryOf(path: string, contents: Uint8Array) {
  const { length: size } = contents;
  if (size < LARGE) return { type: "file", path, size, oid: gitHash(contents) };
  const oid = sha("sha256", contents);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;
  const lfs = { oid, size, pointerSize: pointer.length };
  return { type: "file", path, size, oid: gitHash(Buffer.from(pointer)), lfs };
}

function gitHash(contents: Uint8Array): string {
  return createHash("sha1").update(`blob ${contents.length}\0`).update(contents).digest("hex");
}

function sha(algorithm: "sha1" | "sha256", contents: string | Uint8Array): string {
  return createHash(algorithm).update(contents).digest("hex");
}

function bytesOf(contents: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof contents === "string" ? Buffer.from(contents) : contents;
}

function sendJson(response: ServerResponse, value: unknown): ServerResponse {
  return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code?: string, message?: string): ServerResponse {
  response.writeHead(status, {
    "content-type": "application/json",
    ...(code === undefined ? {} : { "x-error-code": code }),
    ...(message === undefined ? {} : { "x-error-message": message }),
  });
  return response.end(JSON.stringify({ error: message ?? "Invalid username or password." }));
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
