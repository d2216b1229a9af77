import { ConfigurationError } from "../errors.js";
import {
  type RecognizerPool,
  type RecognizerPoolOptions,
  recognizerPool,
} from "../recognition/pool/recognizer-pool.js";
import { ApiError } from "./api-error.js";
import type { ModelSource } from "./model-source.js";

/** Names of OpenAI's models that recognise speech: where they are asked for, the first model answers. */
const OPENAI_NAMES = /^(whisper-|gpt-.*transcribe|gpt-realtime)/;
/** A recording in which nothing is said: enough to see that the network computes. */
const PROBE = new Float32Array(16_000).fill(0).map((_, i) => 0.01 * Math.sin(i / 7));

/** A model that is loaded. */
export class ServedModel {
  /** When, in seconds since 1970. */
  readonly created = Math.floor(Date.now() / 1000);
  #users = 0;
  #retired = false;

  constructor(
    readonly name: string,
    readonly source: string,
    readonly pool: RecognizerPool,
  ) {}

  /** Keeps it until the function that is returned is called, also where another takes its place meanwhile. */
  acquire(): () => void {
    this.#users++;
    return () => {
      this.#users--;
      void this.#closeUnused();
    };
  }

  /** Ends it as soon as nobody uses it. */
  async retire(): Promise<void> {
    this.#retired = true;
    await this.#closeUnused();
  }

  async #closeUnused(): Promise<void> {
    if (this.#retired && this.#users === 0) await this.pool.close();
  }

  /** One pass of the network. @throws where it does not compute within `seconds` */
  async probe(seconds: number): Promise<void> {
    await this.pool.transcribe(PROBE, { signal: AbortSignal.timeout(1000 * seconds) });
  }
}

/** The models of a server by name: loaded once for all requests, and again when their files have changed. */
export class ServedModels {
  #models: ReadonlyMap<string, ServedModel> = new Map();
  #reloading: Promise<void> | undefined;

  private constructor(
    readonly sources: readonly ModelSource[],
    readonly optionsOf: (name: string) => RecognizerPoolOptions,
  ) {}

  /**
   * @param optionsOf those of the pool of the model of a name
   * @throws ConfigurationError where two have one name; UserError as `recognizerPool`
   */
  static async load(
    sources: readonly ModelSource[],
    optionsOf: (name: string) => RecognizerPoolOptions,
  ): Promise<ServedModels> {
    for (const [index, { name, source }] of sources.entries()) {
      const same = sources.findIndex((other) => other.name === name);
      if (same < index)
        throw new ConfigurationError(
          `Models must have names of their own, but ${sources[same]!.source} and ${source} are both ${name}. Name them: NAME=${source}.`,
        );
    }
    const models = new ServedModels(sources, optionsOf);
    await models.reload();
    return models;
  }

  get all(): readonly ServedModel[] {
    return [...this.#models.values()];
  }

  /** The one that answers where none is asked for. */
  get first(): ServedModel {
    return this.all[0]!;
  }

  /**
   * The model for a name of a request: that of the name; the first one for names of OpenAI's, and, where there is but one,
   * for any.
   *
   * @throws ApiError 404 with the names that there are
   */
  named(name: string | undefined): ServedModel {
    const found = name === undefined ? this.first : this.#models.get(name);
    if (found) return found;
    if (this.all.length === 1 || OPENAI_NAMES.test(name!)) return this.first;
    throw noSuchModel(name!, [...this.#models.keys()]);
  }

  /** The model of exactly this name. @throws ApiError 404 */
  exactly(name: string): ServedModel {
    const found = this.#models.get(name);
    if (found) return found;
    throw noSuchModel(name, [...this.#models.keys()]);
  }

  /** Loads all anew; those that are there answer until then, and go on where it fails. */
  async reload(): Promise<void> {
    this.#reloading ??= this.#load().finally(() => {
      this.#reloading = undefined;
    });
    await this.#reloading;
  }

  async #load(): Promise<void> {
    const loaded = new Map<string, ServedModel>();
    try {
      for (const { name, source } of this.sources) {
        const model = new ServedModel(name, source, await recognizerPool(source, this.optionsOf(name)));
        loaded.set(name, model);
        await model.probe(600);
      }
    } catch (error) {
      for (const model of loaded.values()) await model.retire();
      throw error;
    }
    const before = this.all;
    this.#models = loaded;
    for (const model of before) await model.retire();
  }

  async close(): Promise<void> {
    await this.#reloading?.catch(() => {});
    await Promise.all(this.all.map(({ pool }) => pool.close()));
  }
}

function noSuchModel(name: string, names: readonly string[]): ApiError {
  return new ApiError(404, `The model must be ${names.join(" or ")}, but is ${JSON.stringify(name)}.`, {
    type: "not_found_error",
    param: "model",
    code: "model_not_found",
  });
}
