import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join, resolve } from "node:path";
import { type Device, libtorchInfo, type nn } from "@wav2vec2/libtorch";
import type { Transforms } from "../../data/batches/transforms.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { configToHuggingFace } from "../../model/configuration-file.js";
import { findBackbone } from "../../pretrained/backbone.js";
import type { RunDescription } from "../../tracking/run-description.js";
import type { Tracker } from "../../tracking/tracker.js";
import { version } from "../../version.js";
import type { Recipe } from "../recipe/recipe.js";

/** What is trained. */
export interface TrainedModel {
  module: nn.Module;
  /** Default: that of the network in the module, where it has one */
  config?: Wav2Vec2Config | undefined;
}

/** For trackers. The id and the beginning are those of the run's first process, which `run.json` holds. */
export async function describeRun(
  recipe: Recipe,
  {
    module,
    config,
    device,
    processes,
    resume,
    transforms,
    tracker,
  }: TrainedModel & {
    device: Device;
    processes: number;
    resume: boolean;
    transforms: Transforms | undefined;
    tracker: Tracker;
  },
): Promise<RunDescription> {
  const directory = resolve(recipe.output);
  const before = resume ? await readIdentity(directory) : undefined;
  if (before?.transforms && transforms && before.transforms.sha256 !== transforms.sha256)
    tracker.note(
      `${recipe.data.transforms} has changed since the run was last begun: clips are others from here on.`,
    );
  const network = config ?? findBackbone(module)?.model.config;
  return {
    name: recipe.run_name ?? basename(directory),
    id: before?.id ?? newId(),
    directory,
    task: recipe.task,
    recipe: { ...recipe },
    config: network ? configToHuggingFace(network, []) : {},
    ...(transforms && { transforms: { module: transforms.module, sha256: transforms.sha256 } }),
    parameters: {
      all: module.parameters().reduce((sum, { numel }) => sum + numel, 0),
      trained: module.parameterCount(),
    },
    processes,
    host: hostname(),
    device,
    command: process.argv.slice(1),
    versions: { wav2vec2: version(), libtorch: libtorchInfo().version, node: process.versions.node },
    began: before?.began ?? Date.now(),
    resumed: before !== undefined,
  };
}

type Identity = Pick<RunDescription, "id" | "began" | "transforms">;

async function readIdentity(directory: string): Promise<Identity | undefined> {
  try {
    const file: unknown = JSON.parse(await readFile(join(directory, "run.json"), "utf8"));
    return isIdentity(file) ? file : undefined;
  } catch {
    return undefined; // a run of an earlier version, or a file that a full disk left
  }
}

function isIdentity(file: unknown): file is Identity {
  const { id, began } = (file ?? {}) as Record<string, unknown>;
  return typeof id === "string" && typeof began === "number";
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** As Weights & Biases makes them. */
function newId(): string {
  return Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]!).join("");
}
