import { RefusedError, type WandbApi } from "./api.js";
import type { RunPath } from "./operations.js";

/** Files of a stream that grow by lines. */
export type LineFile = "wandb-history.jsonl" | "wandb-events.jsonl" | "output.log";

/** Lines that the server has of each. */
export type Offsets = Readonly<Record<LineFile, number>>;

export const FROM_THE_BEGINNING: Offsets = {
  "wandb-history.jsonl": 0,
  "wandb-events.jsonl": 0,
  "output.log": 0,
};

/** W&B's servers take 10 MiB; lines grow by the backslashes before their quotes. */
const MOST_REQUEST_BYTES = 8 * 2 ** 20;
const MOST_LINE_BYTES = MOST_REQUEST_BYTES;
/** More than this is not kept for a server that cannot be reached: months of a training, or a server that stays away. */
const MOST_WAITING_BYTES = 64 * 2 ** 20;

interface Lines {
  /** Number of the first line that the server has not confirmed. */
  offset: number;
  lines: string[];
  /** How many more would come, had the server not been lost. */
  lost: number;
}

interface Sending {
  files: Partial<Record<LineFile | "wandb-summary.json", { offset: number; content: string[] }>>;
  uploaded?: string[];
  complete?: true;
  exitcode?: number;
}

export interface FileStreamOptions {
  /** Is told once that somebody pressed Stop in the run's page. */
  onStop: () => void;
  /** Is told once why nothing more will be sent. */
  onLost: (reason: string) => void;
}

/**
 * Sends the lines of a run in order. Each request says at which line it begins, and what was not confirmed comes again at
 * the same place: so nothing is lost and nothing comes twice, wherever a connection breaks.
 */
export class FileStream {
  readonly #files: Record<LineFile, Lines>;
  readonly #from: Offsets;
  #summary: (() => string) | undefined;
  /** The one in the request that is under way. */
  #sentSummary: (() => string) | undefined;
  #uploaded: string[] = [];
  #exit: number | undefined;
  #waitingBytes = 0;
  #sendings = 0;
  #running: Promise<void> | undefined;
  #wake: () => void = () => {};
  #state: "open" | "done" | "lost" = "open";
  #stopTold = false;
  #confirmed: (() => void)[] = [];

  constructor(
    readonly api: WandbApi,
    readonly path: RunPath,
    offsets: Offsets,
    readonly options: FileStreamOptions,
  ) {
    this.#from = offsets;
    const from = (name: LineFile): Lines => ({ offset: offsets[name], lines: [], lost: 0 });
    this.#files = {
      "wandb-history.jsonl": from("wandb-history.jsonl"),
      "wandb-events.jsonl": from("wandb-events.jsonl"),
      "output.log": from("output.log"),
    };
    this.#running = this.#run();
  }

  /** Lines of each file that the server has taken, and those that are given to the stream. */
  get counts(): Record<LineFile, { confirmed: number; given: number }> {
    const entries = Object.entries(this.#files) as [LineFile, Lines][];
    return Object.fromEntries(
      entries.map(([name, { offset, lines, lost }]) => {
        const confirmed = offset - this.#from[name];
        return [name, { confirmed, given: confirmed + lines.length + lost }];
      }),
    ) as Record<LineFile, { confirmed: number; given: number }>;
  }

  /** @returns whether the line is short enough */
  add(name: LineFile, line: string): boolean {
    const bytes = Buffer.byteLength(line);
    if (bytes > MOST_LINE_BYTES) return false;
    const file = this.#files[name];
    if (this.#state !== "open") {
      file.lost++;
      return true;
    }
    file.lines.push(line);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > MOST_WAITING_BYTES) this.#lose("too much waits to be sent");
    return true;
  }

  /** @param summary makes the JSON, when it is sent; the newest one counts */
  setSummary(summary: () => string): void {
    this.#summary = summary;
  }

  /** That a file is where the server said. */
  uploaded(path: string): void {
    this.#uploaded.push(path);
  }

  /** Once the server has all that waits now, or never will. */
  async sent(): Promise<void> {
    const behind = Object.values(this.#files).map(({ offset, lines }) => offset + lines.length);
    while (
      this.#state === "open" &&
      Object.values(this.#files).some(({ offset }, at) => offset < behind[at]!)
    )
      await new Promise<void>((resolve) => this.#confirmed.push(resolve));
  }

  /** Sends all that is left, and how the run ended. @returns whether the server has everything */
  async finish(exitcode: number): Promise<boolean> {
    this.#exit = exitcode;
    this.#wake();
    await this.#running;
    return this.#state === "done";
  }

  async #run(): Promise<void> {
    const { timing } = this.api;
    let heartbeat = performance.now() + timing.heartbeat;
    while (this.#state === "open") {
      await this.#pause(Math.min(timing.flush, timing.firstFlush * 2 ** this.#sendings));
      while (this.#state === "open") {
        const { sending, isLast } = this.#take();
        const isEmpty = Object.keys(sending.files).length === 0 && !sending.uploaded && !sending.complete;
        if (isEmpty && performance.now() < heartbeat) break;
        this.#sendings++;
        await this.#send(sending);
        heartbeat = performance.now() + timing.heartbeat;
        if (isLast) break;
      }
    }
  }

  /** Ends at once where the run does. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#exit !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** As much as one request holds. */
  #take(): { sending: Sending; isLast: boolean } {
    const sending: Sending = { files: {} };
    let bytes = 0;
    const fits = (text: string): boolean => {
      const more = bytes + Buffer.byteLength(text);
      if (bytes > 0 && more > MOST_REQUEST_BYTES) return false;
      bytes = more;
      return true;
    };
    let isLast = true;
    for (const [name, { offset, lines }] of Object.entries(this.#files) as [LineFile, Lines][]) {
      const behind = lines.findIndex((line) => !fits(line));
      const content = behind < 0 ? [...lines] : lines.slice(0, behind);
      if (content.length > 0) sending.files[name] = { offset, content };
      isLast &&= behind < 0;
    }
    this.#sentSummary = isLast ? this.#summary : undefined;
    const summary = this.#sentSummary?.();
    if (summary !== undefined) {
      isLast = fits(summary);
      if (isLast) sending.files["wandb-summary.json"] = { offset: 0, content: [summary] };
    }
    if (this.#uploaded.length > 0) sending.uploaded = [...this.#uploaded];
    if (isLast && this.#exit !== undefined) Object.assign(sending, { complete: true, exitcode: this.#exit });
    return { sending, isLast };
  }

  async #send(sending: Sending): Promise<void> {
    const { entity, project, run } = this.path;
    const path = `/files/${[entity, project, run].map(encodeURIComponent).join("/")}/file_stream`;
    const { files, ...rest } = sending;
    try {
      const answer = await this.api.post(path, { ...(Object.keys(files).length > 0 && { files }), ...rest });
      this.#confirm(sending);
      if ((answer as { stopped?: unknown } | null)?.stopped === true && !this.#stopTold) {
        this.#stopTold = true;
        this.options.onStop();
      }
    } catch (error) {
      const { message } = error as Error;
      this.#lose(error instanceof RefusedError ? `the server refused it (${message})` : message);
    }
  }

  #confirm({ files, uploaded, complete }: Sending): void {
    for (const [name, waiting] of Object.entries(this.#files) as [LineFile, Lines][]) {
      const sent = files[name]?.content ?? [];
      waiting.offset += sent.length;
      waiting.lines.splice(0, sent.length);
      for (const line of sent) this.#waitingBytes -= Buffer.byteLength(line);
    }
    if (files["wandb-summary.json"] && this.#sentSummary === this.#summary) this.#summary = undefined;
    this.#uploaded.splice(0, uploaded?.length ?? 0);
    if (complete) this.#state = "done";
    for (const resolve of this.#confirmed.splice(0)) resolve();
  }

  #lose(reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "lost";
    for (const waiting of Object.values(this.#files)) {
      waiting.lost += waiting.lines.length;
      waiting.lines = [];
    }
    for (const resolve of this.#confirmed.splice(0)) resolve();
    this.options.onLost(reason);
  }
}
