type Json = Record<string, unknown>;

interface Part {
  offset: number;
  content: string[];
}

/** The largest body that the real server takes. */
const MOST_BYTES = 10 * 2 ** 20 + 2 ** 16;

/** A run as a Weights & Biases server keeps it, which finds what breaks the protocol. */
export class ServerRun {
  readonly history: string[] = [];
  readonly events: string[] = [];
  readonly output: string[] = [];
  summary = "{}";
  /** Paths that a client said it has uploaded. */
  readonly uploaded: string[] = [];
  /** By path. */
  readonly files = new Map<string, Buffer>();
  complete = false;
  exitcode: number | undefined;
  /** Whether somebody pressed Stop in its page. */
  stopped = false;
  /** The newest value of each variable. */
  values: Json = {};
  readonly upserts: Json[] = [];

  /** @param key `entity/project/id` */
  constructor(readonly key: string) {}

  get config(): Json {
    return JSON.parse((this.values.config as string | undefined) ?? "{}") as Json;
  }

  /** Rows of the history. */
  get rows(): Json[] {
    return this.history.map(parseExtended);
  }

  bucket(): Json & { id: string } {
    const [entity, project, name] = this.key.split("/");
    return {
      id: Buffer.from(`Run:v1:${name}:${project}:${entity}`).toString("base64"),
      name,
      displayName: this.values.displayName ?? name,
      description: this.values.description ?? null,
      config: this.values.config ?? null,
      sweepName: null,
      project: { id: "1", name: project, entity: { id: "1", name: entity } },
      historyLineCount: this.history.length,
    };
  }

  upsert(variables: Json): string[] {
    this.upserts.push(variables);
    this.complete = false;
    const given = Object.entries(variables).filter(([, value]) => value !== null && value !== undefined);
    Object.assign(this.values, Object.fromEntries(given));
    const problems: string[] = [];
    for (const [key, value] of Object.entries(this.config))
      if (typeof value !== "object" || value === null || !("value" in value))
        problems.push(`config.${key} must be {value}`);
    return problems;
  }

  resumeStatus(): Json {
    const { value } = (this.config._wandb ?? {}) as { value?: { t?: unknown } };
    const tail = (lines: readonly string[]): string => JSON.stringify(lines.slice(-1));
    const { id, name, displayName } = this.bucket();
    return {
      id,
      name,
      summaryMetrics: this.summary,
      displayName,
      logLineCount: this.output.length,
      historyLineCount: this.history.length,
      eventsLineCount: this.events.length,
      historyTail: tail(this.history),
      eventsTail: tail(this.events),
      config: this.values.config ?? null,
      tags: this.values.tags ?? [],
      notes: this.values.notes ?? null,
      wandbConfig: JSON.stringify(value?.t ? { t: value.t } : {}),
    };
  }

  rewind(metric: string, value: number): void {
    const kept = this.history.filter((line) => (parseExtended(line)[metric] as number) <= value);
    this.history.splice(0, this.history.length, ...kept);
    this.events.length = 0;
    this.output.length = 0;
  }

  /** Takes the body of a `file_stream`. @returns what is wrong with it */
  stream(body: Json): string[] {
    const problems: string[] = [];
    if (Buffer.byteLength(JSON.stringify(body)) > MOST_BYTES) problems.push("a body must be at most 10 MiB");
    if (this.complete && body.files) problems.push("nothing may come behind the end");
    const files = (body.files ?? {}) as Record<string, Part>;
    for (const [name, part] of Object.entries(files)) {
      if (name === "wandb-summary.json") problems.push(...this.#takeSummary(part));
      else if (name === "wandb-history.jsonl") problems.push(...takeLines(name, this.history, part, "fixed"));
      else if (name === "wandb-events.jsonl") problems.push(...takeLines(name, this.events, part, "fixed"));
      else if (name === "output.log") problems.push(...takeLines(name, this.output, part, "changing"));
      else problems.push(`${name} is no file of a stream`);
    }
    const { "wandb-history.jsonl": rows, "wandb-events.jsonl": events } = files;
    if (rows) problems.push(...this.#wrongRows(rows));
    if (events) problems.push(...wrongEvents(events.content));
    for (const path of (body.uploaded ?? []) as string[]) {
      if (!this.files.has(path)) problems.push(`${path} is said to be uploaded, but is not`);
      this.uploaded.push(path);
    }
    if (body.complete) {
      this.complete = true;
      this.exitcode = body.exitcode as number;
    }
    return problems;
  }

  #takeSummary({ offset, content }: Part): string[] {
    this.summary = content.at(-1)!;
    const wrong = offset !== 0 || content.length !== 1 || !isObject(this.summary);
    return wrong ? ["wandb-summary.json must be one object at 0"] : [];
  }

  #wrongRows({ offset, content }: Part): string[] {
    const before = this.history[offset - 1];
    let last = before === undefined ? -1 : (parseExtended(before)._step as number);
    return content.flatMap((line) => {
      if (!isObject(line)) return [`a row must be an object: ${line}`];
      const { _step, _runtime, _timestamp } = parseExtended(line);
      if (![_step, _runtime, _timestamp].every((value) => typeof value === "number"))
        return [`a row must have _step, _runtime and _timestamp: ${line}`];
      const problem = (_step as number) > last ? [] : [`steps must rise: ${last}, then ${_step}`];
      last = _step as number;
      return problem;
    });
  }
}

function wrongEvents(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const { _wandb, _runtime, _timestamp } = parseExtended(line);
    const isRight = _wandb === true && typeof _runtime === "number" && typeof _timestamp === "number";
    return isRight ? [] : [`an event must have _wandb, _runtime and _timestamp: ${line}`];
  });
}

/** Lines may come again, but as they were, unless they are `changing`. */
function takeLines(
  name: string,
  lines: string[],
  { offset, content }: Part,
  kind: "fixed" | "changing",
): string[] {
  const problems: string[] = [];
  if (offset > lines.length) problems.push(`${name} has ${lines.length} lines, but more come at ${offset}`);
  for (const [index, line] of content.entries()) {
    const before = lines[offset + index];
    if (kind === "fixed" && before !== undefined && before !== line)
      problems.push(`line ${offset + index} of ${name} was ${before}, but is now ${line}`);
    lines[offset + index] = line;
  }
  return problems;
}

/** JSON in which numbers can be NaN and infinite, as W&B's clients write it. */
export function parseExtended(text: string): Json {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text) as Json;
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|NaN|-?Infinity/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
  return JSON.parse(plain, (_, value: unknown) =>
    ["NaN", "Infinity", "-Infinity"].includes(value as string) ? Number(value) : value,
  ) as Json;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = parseExtended(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
