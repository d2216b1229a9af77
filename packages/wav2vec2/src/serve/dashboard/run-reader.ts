import { join } from "node:path";
import { parse } from "yaml";
import { flattenedTexts } from "../../differences.js";
import { isJsonObject } from "../../files/json-file.js";
import type { RunFile } from "../../tracking/sinks/run-file.js";
import { type CurveOptions, curveOf, MovingAverages } from "./curves.js";
import { GrowingFile, type LineSink, parseLine } from "./growing-file.js";
import { LineIndex } from "./line-index.js";
import { MetricTable } from "./metric-table.js";
import type {
  ClipSample,
  CodebookUse,
  Curves,
  FindingLine,
  HistogramSeries,
  LogTail,
  RunNow,
  RunOverview,
  RunSummary,
  TranscriptSample,
  Versions,
} from "./protocol.js";
import { filesOf, runFileOf, summarize } from "./run-summary.js";
import type { RunsRoot } from "./runs-root.js";
import { clipsOf, codebookUseOf, findingOf, histogramsOf, transcriptsOf } from "./samples.js";

/** More of a log's end than a person reads in a page. */
const LOG_BYTES = 1 << 17;

/** What the lines of a run's tables are: of training, or of the machines. */
export type TableName = "metrics" | "system";

/** Files of which a part is read where it is asked for. */
type SampleFile = "transcripts" | "codebooks" | "coded-clips" | "histograms";

/** A run as its directory has it, read on as it grows. */
export class RunReader {
  readonly metrics = new MetricTable();
  readonly system = new MetricTable(systemName);
  #findings: FindingLine[] = [];
  readonly #averages = { metrics: new MovingAverages(), system: new MovingAverages() };
  readonly #indices: Record<SampleFile, LineIndex> = {
    transcripts: new LineIndex(),
    codebooks: new LineIndex(),
    "coded-clips": new LineIndex(),
    histograms: new LineIndex(),
  };
  readonly #files: Record<Exclude<keyof Versions, "run" | "log">, GrowingFile>;
  #recipe = { text: "", values: {} as Record<string, string> };
  #summary: { mark: string; summary: RunSummary } | undefined;
  #refreshing: Promise<RunNow | null> | undefined;

  constructor(
    readonly root: RunsRoot,
    readonly id: string,
  ) {
    const follow = (name: string, sink: LineSink): GrowingFile =>
      new GrowingFile(() => root.open(join(id, `${name}.jsonl`)), sink);
    this.#files = {
      metrics: follow("metrics", this.metrics),
      system: follow("system", this.system),
      findings: follow("findings", {
        line: (bytes) => this.#findings.push(...findingOf(parseLine(bytes) ?? {})),
        reset: () => {
          this.#findings = [];
        },
      }),
      transcripts: follow("transcripts", this.#indices.transcripts),
      codebooks: follow("codebooks", this.#indices.codebooks),
      "coded-clips": follow("coded-clips", this.#indices["coded-clips"]),
      histograms: follow("histograms", this.#indices.histograms),
    };
  }

  /** Rows in memory. */
  get rows(): number {
    return this.metrics.rows + this.system.rows;
  }

  /** Reads what is new. Calls that come meanwhile wait for the same reading. @returns null where the run is gone */
  refresh(): Promise<RunNow | null> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<RunNow | null> {
    const files = await filesOf(join(this.root.path, this.id));
    for (const file of Object.values(this.#files)) await file.read();
    if (files === undefined) return null;
    if (this.#summary?.mark !== files.mark || this.#summary.summary.state === "running")
      this.#summary = { mark: files.mark, summary: await summarize(this.root, this.id, files) };
    const grown = Object.entries(this.#files).map(([name, { version }]) => [name, version]);
    const { status } = files;
    const [run, recipe, log] = [status["run.json"], status["recipe.yaml"], status["log.txt"]];
    return {
      summary: this.#summary.summary,
      versions: {
        ...(Object.fromEntries(grown) as Omit<Versions, "run" | "log">),
        run: `${run?.mtimeMs}.${recipe?.mtimeMs}.${this.#summary.summary.state}`,
        log: `${log?.size}.${log?.mtimeMs}`,
      },
    };
  }

  /** null where the run is gone */
  async overview(): Promise<RunOverview | null> {
    const now = await this.refresh();
    if (now === null) return null;
    const file = await runFileOf(this.root, this.id);
    const text = (await this.root.text(join(this.id, "recipe.yaml"))) ?? "";
    if (text !== this.#recipe.text) this.#recipe = { text, values: recipeValues(text) };
    return {
      ...now,
      ...(file && { description: descriptionOf(file) }),
      recipe: text,
      recipeValues: this.#recipe.values,
      seconds: this.metrics.seconds,
      audioSeconds: this.metrics.audioHours * 3600,
      metrics: this.metrics.describe(),
      system: this.system.describe(),
      findings: this.#findings,
      steps: {
        transcripts: this.#indices.transcripts.steps,
        codedClips: this.#indices["coded-clips"].steps,
      },
      histograms: this.#indices.histograms.names,
    };
  }

  async curves(table: TableName, names: readonly string[], options: CurveOptions): Promise<Curves> {
    await this.#files[table].read();
    const drawn = names.flatMap((name) => {
      const curve = curveOf(this[table], name, options, this.#averages[table]);
      return curve ? [[name, curve] as const] : [];
    });
    const last = this[table].axis(options.x).at(-1) ?? 0;
    return { version: this.#files[table].version, last, curves: Object.fromEntries(drawn) };
  }

  async transcripts(step: number): Promise<TranscriptSample[]> {
    return transcriptsOf(await this.#read("transcripts", { step }));
  }

  async codedClips(step: number): Promise<ClipSample[]> {
    return clipsOf(await this.#read("coded-clips", { step }));
  }

  async codebooks(): Promise<CodebookUse> {
    return codebookUseOf(await this.#read("codebooks", {}));
  }

  async histograms(name: string): Promise<HistogramSeries> {
    return histogramsOf(await this.#read("histograms", { name }));
  }

  /** The last lines of `log.txt`. */
  async log(): Promise<LogTail> {
    await using file = await this.root.open(join(this.id, "log.txt"));
    if (file === undefined) return { text: "", cut: false };
    const { size } = await file.stat();
    const from = Math.max(0, size - LOG_BYTES);
    const bytes = Buffer.alloc(size - from);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    const text = bytes.toString("utf8", 0, bytesRead);
    return from > 0 ? { text: text.slice(text.indexOf("\n") + 1), cut: true } : { text, cut: false };
  }

  async #read(name: SampleFile, at: { step?: number; name?: string }): Promise<Record<string, unknown>[]> {
    await this.#files[name].read();
    return this.#indices[name].read(this.root, join(this.id, `${name}.jsonl`), at);
  }
}

/** A machine's value of the first process keeps its name. */
function systemName(key: string, { rank }: Readonly<Record<string, unknown>>): string | undefined {
  if (key === "rank") return undefined;
  return typeof rank === "number" && rank > 0 ? `${key} rank ${rank}` : key;
}

function descriptionOf({
  host,
  device,
  processes,
  command,
  versions,
  parameters,
  began,
  ended,
  reason,
}: Partial<RunFile>): NonNullable<RunOverview["description"]> {
  const known = {
    host,
    device,
    processes,
    command: Array.isArray(command) ? [...command] : undefined,
    versions,
    parameters,
    began,
    ended,
    reason,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

/** The values of a recipe by dotted key, for comparing; none of a file that is not YAML. */
function recipeValues(text: string): Record<string, string> {
  try {
    const recipe: unknown = parse(text);
    return isJsonObject(recipe) ? flattenedTexts(recipe) : {};
  } catch {
    return {}; // nothing to compare
  }
}
