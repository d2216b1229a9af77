import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request meets instead of an answer. The last two are done nonetheless. */
export type Fault = 500 | 429 | "silence" | "dropped" | "answer lost" | "answer cut off";

export interface Metric {
  key: string;
  value: number | string;
  timestamp: number;
  step: number;
}

interface Run {
  id: string;
  experiment: string;
  status: string;
  metrics: Metric[];
  rows: Set<string>;
  params: Map<string, string>;
  tags: Map<string, string>;
}

/** What this project uses of MLflow's server, kept in memory; it checks limits as the real one does, and fails where it is told to. */
export class FakeMlflow {
  readonly experiments = new Map<string, { id: string; deleted: boolean }>();
  readonly runs = new Map<string, Run>();
  readonly artifacts = new Map<string, Buffer>();
  readonly requests: { path: string; authorization: string | undefined }[] = [];
  /** Asked before each request. */
  fault: (path: string, count: number) => Fault | undefined = () => undefined;
  login: string | undefined;
  #server!: Server;

  async start(port = 0): Promise<string> {
    this.#server = createServer((request, response) => void this.#handle(request, response));
    await new Promise<void>((listens) => this.#server.listen(port, "127.0.0.1", listens));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  get run(): Run {
    if (this.runs.size !== 1) throw new Error(`There are ${this.runs.size} runs.`);
    return [...this.runs.values()][0]!;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const url = new URL(request.url!, "http://localhost");
    const path = url.pathname.replace("/api/2.0/", "");
    const { authorization } = request.headers;
    this.requests.push({ path, authorization });
    const fault = this.fault(path, this.requests.length);
    const answer = (status: number, value: unknown): void => {
      const text = JSON.stringify(value);
      response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
      if (fault === "answer lost") request.socket.destroy();
      else if (fault === "answer cut off") response.write(text.slice(0, 1), () => request.socket.destroy());
      else response.end(text);
    };
    if (fault === 500 || fault === 429) {
      response.writeHead(fault, fault === 429 ? { "retry-after": "0" } : {}).end("<html>");
      return;
    }
    if (fault === "silence") return;
    if (fault === "dropped") {
      request.socket.destroy();
      return;
    }
    if (this.login !== undefined && authorization !== this.login) {
      response.writeHead(401).end("You are not authenticated.");
      return;
    }
    try {
      if (request.method === "PUT") {
        this.artifacts.set(path.replace("mlflow-artifacts/artifacts/", ""), body);
        answer(200, {});
      } else {
        answer(200, this.#answer(path.replace("mlflow/", ""), url.searchParams, body));
      }
    } catch (error) {
      const { code = "INVALID_PARAMETER_VALUE", message } = error as Error & { code?: string };
      answer(code === "RESOURCE_DOES_NOT_EXIST" ? 404 : 400, { error_code: code, message });
    }
  }

  #answer(path: string, query: URLSearchParams, bytes: Buffer): unknown {
    const body = bytes.length > 0 ? JSON.parse(bytes.toString()) : {};
    switch (path) {
      case "experiments/get-by-name": {
        const { id, deleted } = found(this.experiments.get(query.get("experiment_name")!));
        return { experiment: { experiment_id: id, lifecycle_stage: deleted ? "deleted" : "active" } };
      }
      case "experiments/create": {
        if (this.experiments.has(body.name)) throw coded("RESOURCE_ALREADY_EXISTS", "already exists");
        const id = String(this.experiments.size + 1);
        this.experiments.set(body.name, { id, deleted: false });
        return { experiment_id: id };
      }
      case "runs/create": {
        const id = `run${this.runs.size + 1}`;
        const run = {
          id,
          experiment: body.experiment_id,
          status: "RUNNING",
          metrics: [],
          rows: new Set<string>(),
          params: new Map(),
          tags: new Map(),
        };
        this.runs.set(id, run);
        for (const { key, value } of body.tags) this.runs.get(id)!.tags.set(key, value);
        return { run: shown(run) };
      }
      case "runs/get":
        return { run: shown(found(this.runs.get(query.get("run_id")!))) };
      case "runs/search": {
        const [, tag, value] = /^tags\.`(.*)` = '(.*)'$/.exec(body.filter)!;
        return { runs: [...this.runs.values()].filter(({ tags }) => tags.get(tag!) === value).map(shown) };
      }
    }
    const run = found(this.runs.get(body.run_id));
    if (path === "runs/update") run.status = body.status;
    else if (path === "runs/set-tag") run.tags.set(body.key, body.value);
    else if (path === "runs/log-batch") logBatch(run, body, bytes.length);
    else throw coded("ENDPOINT_NOT_FOUND", path);
    return {};
  }
}

type Batch = {
  metrics?: Metric[];
  params?: { key: string; value: string }[];
  tags?: { key: string; value: string }[];
};

function logBatch(run: Run, { metrics = [], params = [], tags = [] }: Batch, size: number): void {
  if (metrics.length > 1000 || params.length > 100 || tags.length > 100 || size > 1e6)
    throw new Error("too large");
  for (const { key, value } of params) {
    if (value.length > 6000 || (run.params.get(key) ?? value) !== value) throw new Error(`param ${key}`);
  }
  for (const { key } of metrics) if (!/^[/\w.\- :]*$/.test(key)) throw new Error(`metric ${key}`);
  for (const { key, value } of params) run.params.set(key, value);
  for (const { key, value } of tags) run.tags.set(key, value);
  for (const metric of metrics) {
    const row = JSON.stringify(metric); // the same one is the same row of its store
    if (!run.rows.has(row)) run.metrics.push(metric);
    run.rows.add(row);
  }
}

function shown(run: Run): object {
  const list = (map: Map<string, string>) => [...map].map(([key, value]) => ({ key, value }));
  return {
    info: {
      run_id: run.id,
      experiment_id: run.experiment,
      artifact_uri: `mlflow-artifacts:/${run.experiment}/${run.id}/artifacts`,
      lifecycle_stage: "active",
    },
    data: { params: list(run.params), tags: list(run.tags), metrics: newest(run) },
  };
}

/** Of each metric the one of the highest step. */
function newest({ metrics }: Run): Metric[] {
  const byKey = new Map<string, Metric>();
  for (const metric of metrics)
    if (metric.step >= (byKey.get(metric.key)?.step ?? 0)) byKey.set(metric.key, metric);
  return [...byKey.values()];
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw coded("RESOURCE_DOES_NOT_EXIST", "not found");
  return value;
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
