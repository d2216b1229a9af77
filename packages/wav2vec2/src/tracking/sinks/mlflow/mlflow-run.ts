import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../../errors.js";
import { writeFileAtomic } from "../../../files/atomic/atomic-file.js";
import type { RunDescription } from "../../run-description.js";
import { type ServiceClient, ServiceError } from "../sending/service-client.js";
import type { MlflowSettings } from "./settings.js";

export interface KeyValue {
  key: string;
  value: string;
}

/** A run as MLflow tells it. */
interface Found {
  info: { run_id: string; experiment_id: string; artifact_uri: string; lifecycle_stage: string };
  data: { params?: KeyValue[]; metrics?: { key: string; step: number }[] };
}

/** Remembered in the run directory, so that a run that goes on is the same one in MLflow. */
interface Remembered {
  address: string;
  run_id: string;
}

/** By which a run is found whose creation was not answered. */
const TAG = "wav2vec2.run";
const API = "/api/2.0/mlflow";

/** A run of MLflow, made or found. */
export class MlflowRun {
  #found: Found | undefined;
  #tried = false;

  constructor(
    private readonly client: ServiceClient,
    private readonly settings: MlflowSettings,
    private readonly run: RunDescription,
    private readonly note: (text: string) => void,
  ) {}

  get id(): string {
    return this.#found!.info.run_id;
  }

  get experiment(): string {
    return this.#found!.info.experiment_id;
  }

  /** Where its artifacts go. */
  get artifactUri(): string {
    return this.#found!.info.artifact_uri;
  }

  /** What it had before, by name. */
  get params(): Map<string, string> {
    return new Map(this.#found!.data.params?.map(({ key, value }) => [key, value]));
  }

  /** The last step of each metric that it had before. */
  get newestSteps(): Map<string, number> {
    return new Map(this.#found!.data.metrics?.map(({ key, step }) => [key, step]));
  }

  /**
   * Finds the run or makes it; where that was done, nothing happens.
   *
   * @throws UserError where the experiment or the run that is named is not there
   * @throws RequestError
   */
  async join(): Promise<void> {
    if (this.#found) return;
    const found = (await this.#known()) ?? (await this.#create());
    await this.#remember(found);
    this.#found = found;
  }

  async post(path: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    await this.client.json(`${API}/runs/${path}`, { run_id: this.id, ...body });
  }

  /** A run that is there already. */
  async #known(): Promise<Found | undefined> {
    const { runId } = this.settings;
    if (runId !== undefined) {
      const named = await this.#get(runId);
      if (named) return named;
      throw new UserError(
        `MLFLOW_RUN_ID must be a run of ${this.settings.address}, but ${runId} is not there. Remove the variable, and a run is made.`,
      );
    }
    const remembered = this.run.resumed ? await this.#remembered() : undefined;
    if (remembered === undefined) return undefined;
    const before = await this.#get(remembered);
    if (!before) this.note(`MLflow has no run ${remembered} any more: this one goes on as a new run there.`);
    return before;
  }

  async #create(): Promise<Found> {
    const experiment = await this.#experiment();
    // An attempt whose answer was lost may have made it.
    const before = this.#tried || this.run.resumed ? await this.#search(experiment) : undefined;
    if (before) return before;
    this.#tried = true;
    const { run } = await this.client.json<{ run: Found }>(`${API}/runs/create`, {
      experiment_id: experiment,
      run_name: this.settings.runName ?? this.run.name,
      start_time: this.run.began,
      tags: [{ key: TAG, value: this.run.id }],
    });
    return run;
  }

  async #get(id: string): Promise<Found | undefined> {
    const answer = await this.client
      .json<{ run: Found }>(`${API}/runs/get?run_id=${encodeURIComponent(id)}`)
      .catch(ifMissing);
    return answer?.run.info.lifecycle_stage === "deleted" ? undefined : answer?.run;
  }

  async #search(experiment: string): Promise<Found | undefined> {
    const { runs = [] } = await this.client.json<{ runs?: Found[] }>(`${API}/runs/search`, {
      experiment_ids: [experiment],
      filter: `tags.\`${TAG}\` = '${this.run.id}'`,
      run_view_type: "ACTIVE_ONLY",
      max_results: 1,
    });
    return runs[0];
  }

  async #experiment(): Promise<string> {
    const { experiment: wanted, address } = this.settings;
    if ("id" in wanted) return wanted.id;
    const { name } = wanted;
    const get = async () =>
      await this.client
        .json<{ experiment: { experiment_id: string; lifecycle_stage: string } }>(
          `${API}/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`,
        )
        .catch(ifMissing);
    const found = await get();
    if (found?.experiment.lifecycle_stage === "deleted")
      throw new UserError(
        `The experiment ${name} must be there in ${address}, but was deleted. Restore it (mlflow experiments restore ` +
          `--experiment-id ${found.experiment.experiment_id}), or choose another one with mlflow.experiment.`,
      );
    if (found) return found.experiment.experiment_id;
    try {
      const made = await this.client.json<{ experiment_id: string }>(`${API}/experiments/create`, { name });
      return made.experiment_id;
    } catch (error) {
      // Another run made it meanwhile.
      const isThere = error instanceof ServiceError && error.code === "RESOURCE_ALREADY_EXISTS";
      const other = isThere ? await get() : undefined;
      if (!other) throw error;
      return other.experiment.experiment_id;
    }
  }

  get #file(): string {
    return join(this.run.directory, "mlflow.json");
  }

  async #remembered(): Promise<string | undefined> {
    try {
      const { address, run_id } = JSON.parse(await readFile(this.#file, "utf8")) as Remembered;
      return address === this.settings.address ? run_id : undefined;
    } catch {
      return undefined; // it was not shown there
    }
  }

  async #remember({ info }: Found): Promise<void> {
    const remembered: Remembered = { address: this.settings.address, run_id: info.run_id };
    await writeFileAtomic(this.#file, `${JSON.stringify(remembered)}\n`).catch(() => {}); // a full disk ends no run
  }
}

function ifMissing(error: unknown): undefined {
  if (error instanceof ServiceError && error.code === "RESOURCE_DOES_NOT_EXIST") return undefined;
  throw error;
}
