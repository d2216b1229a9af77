import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ServerArtifacts } from "./wandb-server-artifacts.js";
import { ServerRun } from "./wandb-server-run.js";

type Json = Record<string, unknown>;

/** A request as it came. */
export interface WandbRequest {
  /** The operation's name, `file_stream`, or `PUT`. */
  name: string;
  path: string;
  /** Variables of an operation, body of a `file_stream`. */
  body: Json;
  headers: IncomingMessage["headers"];
}

/**
 * What goes wrong with a request: an HTTP status, or a connection that is cut (`drop`) or that nothing comes from
 * (`silent`). With `late`, the server has done by then what was asked; `half` cuts its answer.
 */
export type Trouble = number | "drop" | "silent" | "late drop" | "late silent" | "half";

/**
 * A Weights & Biases server on this computer: the GraphQL operations and routes that its clients use, as
 * https://github.com/wandb/wandb has them in core/internal. It writes down whatever breaks the protocol in
 * {@link WandbServer.violations}, and gets into trouble on request.
 */
export class WandbServer {
  readonly requests: WandbRequest[] = [];
  readonly violations: string[] = [];
  readonly runs = new Map<string, ServerRun>();
  readonly artifacts = new ServerArtifacts(() => this.url);
  /** The only key that is accepted. */
  key = "a".repeat(40);
  entity = "team";
  #troubles: { name: string; kinds: Trouble[] }[] = [];
  readonly #server: Server;
  readonly #deleted = new Set<string>();
  #gone = false;

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(port = 0): Promise<WandbServer> {
    const server = new WandbServer();
    await server.listen(port);
    return server;
  }

  async listen(port = 0): Promise<void> {
    this.#gone = false;
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.#gone = true;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Lets the next requests of a name go wrong, each in its way. */
  trouble(name: string, ...kinds: Trouble[]): void {
    this.#troubles.push({ name, kinds });
  }

  /** Whether all troubles have come. */
  get calm(): boolean {
    return this.#troubles.every(({ kinds }) => kinds.length === 0);
  }

  /** Somebody deletes a run in its page: it is never to be had again. */
  delete({ key }: ServerRun): void {
    this.runs.delete(key);
    this.#deleted.add(key);
  }

  /** The only run. */
  get run(): ServerRun {
    const [run, ...others] = this.runs.values();
    if (!run || others.length > 0) throw new Error(`There must be one run, but there are ${this.runs.size}.`);
    return run;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away
    }
    if (this.#gone) return;
    const bytes = Buffer.concat(chunks);
    const path = decodeURIComponent(request.url!);
    if (path.startsWith("/sdk/otel/")) return void response.end(); // how the client itself fares
    const isJson = request.method === "POST";
    const body = isJson ? (JSON.parse(bytes.toString()) as Json) : {};
    const name = isJson
      ? (/^\s*(?:query|mutation)\s+(\w+)/.exec(String(body.query))?.[1] ?? path.split("/").at(-1)!)
      : request.method!;
    const variables = name === "file_stream" ? body : ((body.variables ?? {}) as Json);
    this.requests.push({ name, path, body: variables, headers: request.headers });
    const kinds = this.#troubles.find((one) => one.name === name && one.kinds.length > 0)?.kinds;
    const trouble = kinds?.shift();
    if (trouble === "drop") return void request.socket.destroy();
    if (trouble === "silent") return;
    if (typeof trouble === "number") return void response.writeHead(trouble).end("trouble");
    let [status, answer]: [number, Json] = [400, { errors: [{ message: "not understood" }] }];
    try {
      const asked = { variables, query: String(body.query) };
      [status, answer] = this.#answer(name, path, asked, request, bytes);
    } catch (error) {
      this.violations.push(`${name} is not understood: ${(error as Error).message}`);
    }
    if (trouble === "late drop") return void request.socket.destroy();
    if (trouble === "late silent") return;
    const text = JSON.stringify(answer);
    response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
    if (trouble === "half") {
      response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
      return;
    }
    response.end(text);
  }

  #answer(
    name: string,
    path: string,
    { variables, query }: { variables: Json; query: string },
    request: IncomingMessage,
    bytes: Buffer,
  ): [status: number, answer: Json] {
    if (name === "PUT") return this.#put(path, request, bytes);
    const expected = `Basic ${Buffer.from(`api:${this.key}`).toString("base64")}`;
    if (request.headers.authorization !== expected)
      return [401, { errors: [{ message: "invalid API key" }] }];
    if (name === "file_stream") return this.#fileStream(path, variables);
    if (path !== "/graphql") this.violations.push(`${name} must go to /graphql, not ${path}`);
    return this.#operation(name, variables, query);
  }

  #put(path: string, request: IncomingMessage, bytes: Buffer): [number, Json] {
    if (request.headers.authorization !== undefined) this.violations.push(`The key must not go to ${path}`);
    const [, kind, id, file] = /^\/storage\/(run|artifact)\/(.+?)\/\/(.+)$/.exec(path)!;
    if (kind === "artifact") this.artifacts.stored(id!, file!, bytes);
    else this.runs.get(id!)!.files.set(file!, bytes);
    return [200, {}];
  }

  #fileStream(path: string, body: Json): [number, Json] {
    const [, key] = /^\/files\/(.+)\/file_stream$/.exec(path)!;
    const run = this.runs.get(key!);
    if (!run) return [404, { error: `run ${key} not found` }];
    this.violations.push(...run.stream(body));
    return [200, { exitcode: null, limits: {}, ...(run.stopped && { stopped: true }) }];
  }

  #operation(name: string, variables: Json, query: string): [number, Json] {
    const data = (value: Json): [number, Json] => [200, { data: value }];
    if (name.startsWith("ProbeServer")) return data(probed(query));
    switch (name) {
      case "Viewer":
        return data({ viewer: this.#viewer() });
      case "ServerFeaturesQuery":
        return data({ serverInfo: { features: [] } });
      case "OrganizationCoreWeaveOrganizationID":
        return data({ entity: { organization: { coreWeaveOrganizationId: "" } } });
      case "UpsertBucket":
        if (this.#deleted.has(this.#keyOf(variables)))
          return [404, { errors: [{ message: "run was deleted" }] }];
        return data(this.#upsert(variables));
      case "RunResumeStatus":
        return data({ model: this.#resumeStatus(variables) });
      case "RewindRun": {
        const run = this.#find({ ...variables, name: variables.runName });
        run?.rewind(variables.metricName as string, variables.metricValue as number);
        return data({ rewindRun: run ? { rewoundRun: run.bucket() } : null });
      }
      case "CreateRunFiles": {
        const run = this.#find({ ...variables, name: variables.run });
        const files = (variables.files as string[]).map((file) => ({
          name: file,
          uploadUrl: `${this.url}/storage/run/${run!.key}//${encodeURI(file)}`,
        }));
        return data({
          createRunFiles: { runID: run!.bucket().id, uploadHeaders: ["X-Test:of the store"], files },
        });
      }
      case "RunState": {
        const run = this.#find({ ...variables, name: variables.run });
        return data({ project: { run: { id: "1", state: run?.stopped ? "stopping" : "running" } } });
      }
      default: {
        const answer = this.artifacts.operation(name, variables);
        if (answer) return data(answer);
        this.violations.push(`${name} is no operation that this server knows`);
        return [400, { errors: [{ message: `unknown operation ${name}` }] }];
      }
    }
  }

  #viewer(): Json {
    return { id: "1", entity: this.entity, username: "user", email: "", flags: "{}", teams: { edges: [] } };
  }

  #keyOf({ entity, project, name }: Json): string {
    return `${entity || this.entity}/${project || "uncategorized"}/${name}`;
  }

  #find(variables: Json): ServerRun | undefined {
    return this.runs.get(this.#keyOf(variables));
  }

  #upsert(variables: Json): Json {
    const found = this.#find(variables);
    const run = found ?? new ServerRun(this.#keyOf(variables));
    this.runs.set(run.key, run);
    this.violations.push(...run.upsert(variables));
    return { upsertBucket: { bucket: run.bucket(), inserted: !found } };
  }

  #resumeStatus(variables: Json): Json | null {
    const run = this.#find(variables);
    const [entity, project] = this.#keyOf(variables).split("/");
    return { id: "1", name: project, entity: { id: "1", name: entity }, bucket: run?.resumeStatus() ?? null };
  }
}

/** What older clients ask of the server's schema: whether it has the newer ones of these. */
function probed(query: string): Json {
  const names = [
    "createRunFiles",
    "createArtifact",
    "clientID",
    "sequenceClientID",
    "enableDigestDeduplication",
    "historyStep",
    "storageRegion",
  ].map((name) => ({ name }));
  const aliases = [...query.matchAll(/(\w+):\s*__type/g)].map(([, alias]) => alias!);
  return Object.fromEntries(aliases.map((alias) => [alias, { fields: names, inputFields: names }]));
}
