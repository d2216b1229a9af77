import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BOOLEAN, TEXT } from "../../argument-kinds.js";
import { describeType } from "../../describe-type.js";
import { ConfigurationError, UserError, withCode, wrongType } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { tellNote } from "../tell-note.js";
import { pause, RequestError } from "./http-request.js";
import { COMMIT, HubCache, hasSize, isForbidden } from "./hub-cache.js";
import { downloadBlob } from "./hub-download.js";
import { type HubEnvironment, hubEnvironment } from "./hub-environment.js";
import { isHubId } from "./hub-id.js";
import { HubClient } from "./hub-request.js";
import {
  adapterFileName,
  chooseAdapter,
  chooseWeights,
  type HubFile,
  hasTokenizer,
  isConfiguration,
  isIndex,
  shardsOf,
} from "./model-files.js";

export interface DownloadProgress {
  /** The model's Hub id. */
  id: string;
  /** Bytes on the disk, those of an earlier attempt included. */
  received: number;
  /** Bytes to download; grows once where an index first has to tell which shards there are. */
  total: number;
}

export interface ResolveOptions {
  /** Branch, tag or commit of a Hub model; `main` when left out. */
  revision?: string | undefined;
  /** Language whose `adapter.<language>.safetensors` is wanted too. */
  adapter?: string | undefined;
  /** Whether the model is of no use without its vocabulary. Python's `from_pretrained` of a model alone leaves it out of the cache. */
  tokenizer?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Gets what the user should know; goes to stderr when left out. */
  onNote?: ((text: string) => void) | undefined;
}

const RESOLVE_OPTIONS = {
  revision: TEXT,
  adapter: TEXT,
  tokenizer: BOOLEAN,
  signal: true,
  onProgress: true,
  onNote: true,
} satisfies KnownOptions<ResolveOptions>;

/**
 * The directory of a model that is named by its directory or its Hugging Face Hub id. A Hub model's files (those that a
 * wav2vec 2.0 model needs, no others) are downloaded into Hugging Face's cache unless they are there already; where the
 * Hub does not answer, what is in the cache is used with a note.
 *
 * `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` mean what they mean to Python's
 * huggingface_hub.
 *
 * @throws UserError when there is no such model, or it cannot be had now
 * @throws the signal's reason once that is aborted; a later call goes on with what was downloaded
 */
export async function resolveModel(name: string, options: ResolveOptions = {}): Promise<string> {
  if (typeof name !== "string")
    throw wrongType(
      `The model must be a directory or a Hub id, but is ${describeType(name)}.${meantBy(name)}`,
    );
  if (name === "") throw new ConfigurationError("The model must be a directory or a Hub id, but is empty.");
  requireOptions("resolveModel", options, RESOLVE_OPTIONS);
  return await withCode("ERR_MODEL_NOT_FOUND", () => findModel(name, options));
}

function meantBy(value: unknown): string {
  if (value instanceof URL) return " Give fileURLToPath(…) of it.";
  return value instanceof Promise ? " Await it." : "";
}

async function findModel(name: string, options: ResolveOptions): Promise<string> {
  const { revision, signal } = options;
  if (existsSync(name)) {
    if (revision !== undefined) {
      throw new ConfigurationError(
        `revision must be left out for a directory, but is '${revision}' for ${name}. Only models on the Hub have revisions.`,
      );
    }
    if (statSync(name).isDirectory()) return name;
    throw new UserError(`${name} must be a model directory or a Hub id, but is a file. Name its directory.`);
  }
  if (!isHubId(name)) {
    throw new UserError(
      `${name} must be a model directory or a Hub id, but there is no directory ${resolve(name)}, and an id looks like facebook/wav2vec2-base-960h.`,
    );
  }
  requireRevision(revision);
  // One at a time for each model: the second finds what the first has downloaded.
  const turn = (turns.get(name) ?? Promise.resolve()).then(async () => {
    signal?.throwIfAborted();
    return await new HubModel(name, options, await hubEnvironment()).directory();
  });
  turns.set(
    name,
    turn.catch(() => undefined),
  );
  return await (signal ? Promise.race([turn, aborted(signal)]) : turn);
}

/** Rejects with the signal's reason, so that nobody waits for another's download. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

const turns = new Map<string, Promise<unknown>>();

/** A revision becomes a file's name in the cache: https://git-scm.com/docs/git-check-ref-format */
function requireRevision(revision: string | undefined): void {
  if (revision === undefined || !/^$|^[/.-]|\/$|\.\.|\/\.|\/\/|[\0-\x20\x7f~^:?*[\\]/.test(revision)) return;
  throw new ConfigurationError(
    `revision must be a branch, a tag or a commit, but is '${revision}', which none can be called.`,
  );
}

class HubModel {
  readonly #revision: string;
  readonly #cache: HubCache;
  readonly #client: HubClient;
  #received = 0;
  #total = 0;

  constructor(
    private readonly id: string,
    private readonly options: ResolveOptions,
    private readonly environment: HubEnvironment,
  ) {
    this.#revision = options.revision ?? "main";
    this.#cache = new HubCache(environment.cache, id);
    this.#client = new HubClient(environment, options.signal);
  }

  async directory(): Promise<string> {
    const cached = await this.#findCached();
    if (this.environment.offline) {
      if (cached !== undefined) return this.#withoutPreprocessor(cached);
      throw new UserError(
        `${this.id} must be a model directory or in the cache, but there is no such directory, and ` +
          `${this.environment.cache} ${await this.#lack()}. Run this once without HF_HUB_OFFLINE.`,
      );
    }
    let listing: { commit: string; files: HubFile[] };
    try {
      listing = await this.#list(cached !== undefined);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (cached === undefined || error.code === "RevisionNotFound") throw this.#explain(error);
      tellNote(
        this.options,
        `${error.message}. Using ${this.#what()} as it was downloaded before: ${cached}`,
      );
      return this.#withoutPreprocessor(cached);
    }
    try {
      return await this.#download(listing);
    } catch (error) {
      if (isForbidden(error)) return this.#withoutWriting(cached, listing.commit);
      throw error instanceof RequestError ? this.#explain(error) : error;
    }
  }

  /** What to use where the cache is another user's: an older state of the revision that is whole. */
  #withoutWriting(cached: string | undefined, commit: string): string {
    const { cache } = this.environment;
    const forbidden = `${cache} may not be written by this user`;
    if (cached === undefined)
      throw new UserError(
        `${this.#what()} must be downloaded into a directory that may be written, but ${forbidden}. ` +
          "Name another one: HF_HUB_CACHE=DIRECTORY.",
      );
    tellNote(
      this.options,
      `${forbidden}, so ${this.#what()} is used as it was downloaded before: ${cached}. It is at ${commit} now; ` +
        "HF_HUB_CACHE=DIRECTORY names a place for that.",
    );
    return cached;
  }

  /** What keeps the cache from serving the model. */
  async #lack(): Promise<string> {
    const directory = await this.#cache.find(this.#revision);
    if (directory === undefined) return `does not hold ${this.#what()} whole`;
    if (this.options.tokenizer && !hasTokenizer(directory))
      return `holds ${this.#what()} without its tokenizer (vocab.json or tokenizer.json)`;
    return `holds ${this.#what()}, but does not hold ${adapterFileName(this.options.adapter ?? "")}`;
  }

  /** Says where a model's own way of preparing clips may be missing. */
  #withoutPreprocessor(directory: string): string {
    const names = ["preprocessor_config.json", "processor_config.json"];
    if (names.some((name) => existsSync(join(directory, name)) || this.#cache.isKnownAbsent(directory, name)))
      return directory;
    tellNote(
      this.options,
      `${this.environment.cache} holds ${this.#what()} without ${names[0]}: clips are brought to zero mean and unit variance, as is ` +
        "the default. Where the Hub answers, the file is downloaded.",
    );
    return directory;
  }

  async #findCached(): Promise<string | undefined> {
    const directory = await this.#cache.find(this.#revision);
    const { adapter, tokenizer } = this.options;
    if (directory !== undefined && tokenizer && !hasTokenizer(directory)) return undefined;
    if (directory === undefined || adapter === undefined) return directory;
    const has = (path: string) => existsSync(join(directory, path));
    return chooseAdapter(adapter, has) === undefined ? undefined : directory;
  }

  /** The revision's commit and its files. Without a cache to fall back on, a Hub in trouble is asked again. */
  async #list(once: boolean): Promise<{ commit: string; files: HubFile[] }> {
    for (const delay of once ? [] : this.environment.retryDelays.slice(0, 2)) {
      try {
        return await this.#listOnce();
      } catch (error) {
        if (!(error instanceof RequestError) || !error.transient) throw error;
        await pause(delay, this.options.signal);
      }
    }
    return await this.#listOnce();
  }

  async #listOnce(): Promise<{ commit: string; files: HubFile[] }> {
    const { modelInfo, listFiles } = await import("./hub-listing.js"); // 35 ms that only Hub models cost
    const connection = { hubUrl: this.environment.endpoint, fetch: this.#client.fetchJson };
    let commit = this.#revision;
    if (!COMMIT.test(commit)) {
      const info = await modelInfo({
        name: this.id,
        revision: this.#revision,
        additionalFields: ["sha"],
        ...connection,
      });
      commit = info.sha;
      if (!COMMIT.test(commit)) throw notAHub(this.environment.endpoint);
    }
    const files: HubFile[] = [];
    const repo = { type: "model", name: this.id } as const;
    for await (const { type, path, size, oid, lfs } of listFiles({ repo, revision: commit, ...connection })) {
      const hash = lfs?.oid ?? oid;
      if (type !== "file") continue;
      // It becomes a file's name in the cache.
      if (hash === undefined || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash)) {
        throw notAHub(this.environment.endpoint);
      }
      files.push({ path, size, hash });
    }
    return { commit, files };
  }

  async #download({ commit, files }: { commit: string; files: readonly HubFile[] }): Promise<string> {
    const listed = new Map(files.map((file) => [file.path, file]));
    const weights = chooseWeights((path) => listed.has(path));
    const adapter = this.#adapterIn(listed);
    const missing = this.#missing(listed, weights);
    if (missing !== undefined || weights === undefined) throw missing;
    const needed = files.filter(({ path }) => isConfiguration(path));
    if (adapter !== undefined) needed.push(listed.get(adapter)!);
    needed.push(listed.get(weights)!);
    await this.#fetch(needed, commit);
    if (isIndex(weights)) {
      const index = join(this.#cache.snapshot(commit), weights);
      const shards = shardsOf(await readFile(index, "utf8"), index);
      const lost = shards.find((path) => !listed.has(path));
      if (lost !== undefined) {
        throw new UserError(
          `${weights} of ${this.#what()} must name files of the model, but ${lost} is not there.`,
        );
      }
      await this.#fetch(
        shards.map((path) => listed.get(path)!),
        commit,
      );
    }
    // Only now: until then the revision stays what it was before, which is whole.
    await this.#cache.remember(this.#revision, commit);
    return this.#cache.snapshot(commit);
  }

  #adapterIn(listed: ReadonlyMap<string, HubFile>): string | undefined {
    const { adapter } = this.options;
    return adapter === undefined ? undefined : chooseAdapter(adapter, (path) => listed.has(path));
  }

  #missing(listed: ReadonlyMap<string, HubFile>, weights: string | undefined): UserError | undefined {
    const { adapter } = this.options;
    const has = `Its files are ${listOf([...listed.keys()])}.`;
    if (!listed.has("config.json") || weights === undefined) {
      return new UserError(
        `${this.#what()} must have config.json and model.safetensors or pytorch_model.bin, but has not. ${has}`,
      );
    }
    if (adapter !== undefined && this.#adapterIn(listed) === undefined) {
      return new UserError(`${this.#what()} must have ${adapterFileName(adapter)}, but has not. ${has}`);
    }
    return undefined;
  }

  /** Puts files into the snapshot, those first that are small; what is there stays. */
  async #fetch(files: readonly HubFile[], commit: string): Promise<void> {
    const snapshot = this.#cache.snapshot(commit);
    const absent: HubFile[] = [];
    for (const file of files) {
      if (!(await hasSize(join(snapshot, file.path), file.size))) absent.push(file);
    }
    if (absent.length === 0) return;
    this.#total += absent.reduce((sum, { size }) => sum + size, 0);
    this.#advance(0);
    for (const file of absent.sort((a, b) => a.size - b.size)) {
      const { path, size, hash } = file;
      const blob = this.#cache.blob(hash);
      if (await hasSize(blob, size)) {
        this.#advance(size); // another revision has the same file
      } else {
        const url = `${this.environment.endpoint}/${this.id}/resolve/${commit}/${encodeURIComponent(path)}`;
        await downloadBlob(this.#client, url, file, blob, (count) => this.#advance(count));
      }
      await this.#cache.link(hash, commit, path);
    }
  }

  #advance(bytes: number): void {
    this.#received += bytes;
    this.options.onProgress?.({ id: this.id, received: this.#received, total: this.#total });
  }

  /** What the Hub's refusal means and what to do about it. */
  #explain(error: RequestError): UserError {
    const { endpoint, token } = this.environment;
    const { status, code } = error;
    const say = (text: string): UserError => new UserError(text, { cause: error });
    if (code === "RevisionNotFound") {
      return say(
        `revision must be a branch, a tag or a commit of ${this.id}, but '${this.#revision}' is none. ${endpoint}/${this.id}/tree/main lists them.`,
      );
    }
    if (code === "GatedRepo") {
      return say(
        `${this.id} must be open to you, but is gated. Accept its conditions at ${endpoint}/${this.id}` +
          `${token === undefined ? " and put an access token into HF_TOKEN" : " as the owner of your access token"}.`,
      );
    }
    if (status === 401 && code !== "RepoNotFound" && token !== undefined) {
      return say(
        `The access token must be valid for ${endpoint}, but was refused (HF_TOKEN, or the file that 'hf auth login' writes). ` +
          "Make a new one, or do without: public models need none.",
      );
    }
    // Without a token, the Hub answers 401 for what is not there, so as not to tell what is private.
    if (status === 401 || status === 403 || code === "RepoNotFound" || status === 404) {
      return say(
        `${this.id} must be a model directory or a Hub id, but there is no directory ${resolve(this.id)}, and ` +
          `${endpoint} shows no such model. Check the spelling` +
          `${token === undefined ? "; a private model needs an access token in HF_TOKEN" : " and that your access token may read it"}.`,
      );
    }
    return say(
      `${this.id} must be a model directory or come from the Hub, but there is no directory ${resolve(this.id)}, and ` +
        `${error.message}. Try again later, or name a directory.`,
    );
  }

  #what(): string {
    return `revision ${this.#revision} of ${this.id}`;
  }
}

function notAHub(endpoint: string): RequestError {
  return new RequestError(`${endpoint} answers, but not as a Hub does`, undefined);
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown || "none";
}
