import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigurationError } from "../../../errors.js";
import { homeDirectory } from "../../../files/home-directory.js";
import type { RunDescription } from "../../run-description.js";
import type { ServiceOptions } from "../../service-thread.js";
import { readKey } from "./key.js";

/** How and as what a run goes to Weights & Biases. */
export interface WandbSettings {
  mode: "online" | "offline";
  /** Of the API, without a slash at its end. */
  baseUrl: string;
  /** Of the pages. */
  appUrl: string;
  key: string | undefined;
  /** Where the key's own where it is not given. */
  entity: string | undefined;
  project: string;
  runId: string;
  name: string;
  group: string | undefined;
  jobType: string;
  tags: readonly string[];
  notes: string | undefined;
  /** The directory below which `wandb/` lies. */
  directory: string;
  /** Whether a run of this id may, must or must not be there; `ours` where this process says so itself. */
  existing: "allow" | "must" | "never" | "ours";
  /** What becomes of the steps behind a checkpoint that a run goes on from. */
  resume: "append" | "rewind";
}

/** Of the API; what W&B's own client has since 0.31 answers for the same servers and keys. */
export const DEFAULT_BASE_URL = "https://api.wandb.ai";
const PROJECT = "wav2vec2";
const LONGEST_PROJECT = 128;
/** W&B's own rules of names. */
const NOT_IN_PROJECT = /[/\\#?%:]/;
const NOT_IN_RUN_ID = /[:;,#?/'\\]|^\s|\s$/;

/**
 * What recipe, environment and W&B's own settings files say, in this order of precedence.
 *
 * @throws ConfigurationError where a name or an address is none that W&B takes
 */
export function readSettings(
  run: RunDescription,
  options: ServiceOptions["wandb"],
  environment: NodeJS.ProcessEnv,
): WandbSettings {
  const files = readFiles(environment);
  const baseUrl = requireUrl(environment.WANDB_BASE_URL || files.base_url || DEFAULT_BASE_URL);
  const runId = environment.WANDB_RUN_ID || run.id;
  if (NOT_IN_RUN_ID.test(runId))
    throw new ConfigurationError(
      `WANDB_RUN_ID must have none of : ; , # ? / ' \\ and no space at its ends, but is ${runId}. Choose another.`,
    );
  return {
    mode: modeOf(environment.WANDB_MODE || files.mode || "online"),
    baseUrl,
    appUrl: environment.WANDB_APP_URL || appUrlOf(baseUrl),
    key: readKey(baseUrl, environment),
    entity: options.entity || environment.WANDB_ENTITY || files.entity || undefined,
    project: requireProject(options.project || environment.WANDB_PROJECT || files.project || PROJECT),
    runId,
    name: (!run.recipe.run_name && environment.WANDB_NAME) || run.name,
    group: options.group || environment.WANDB_RUN_GROUP || undefined,
    jobType: options.job_type || environment.WANDB_JOB_TYPE || run.task,
    tags: options.tags ?? listOf(environment.WANDB_TAGS),
    notes: options.notes || environment.WANDB_NOTES || undefined,
    directory: environment.WANDB_DIR || run.directory,
    existing: existingOf(environment, run),
    resume: options.resume,
  };
}

function modeOf(mode: string): WandbSettings["mode"] {
  if (["online", "run", "shared"].includes(mode)) return "online";
  if (["offline", "dryrun"].includes(mode)) return "offline";
  throw new ConfigurationError(
    `WANDB_MODE must be online, offline or disabled, but is ${mode}. Set one of these.`,
  );
}

function existingOf(environment: NodeJS.ProcessEnv, { resumed }: RunDescription): WandbSettings["existing"] {
  const { WANDB_RESUME: resume, WANDB_RUN_ID: id } = environment;
  if (resume === "must" || resume === "never") return resume;
  return resume || id || resumed ? "allow" : "ours";
}

function requireProject(project: string): string {
  const found = NOT_IN_PROJECT.exec(project)?.[0];
  if (found === undefined && project.length <= LONGEST_PROJECT) return project;
  const but = found === undefined ? `has ${project.length}` : `has ${found}`;
  throw new ConfigurationError(
    `The project's name of Weights & Biases must have at most ${LONGEST_PROJECT} characters and none of / \\ # ? % :, but ` +
      `${JSON.stringify(project)} ${but}. Change wandb.project or WANDB_PROJECT.`,
  );
}

function requireUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ["http:", "https:"].includes(url.protocol) && !url.username) return text.replace(/\/+$/, "");
  throw new ConfigurationError(
    `WANDB_BASE_URL must be an address such as ${DEFAULT_BASE_URL}, without user and password, but is ` +
      `${url?.username ? "one with a user" : text}. Correct it.`,
  );
}

function appUrlOf(baseUrl: string): string {
  return /^https:\/\/api\.(wandb\.ai|forge\.coreweave\.com)$/.test(baseUrl)
    ? "https://wandb.ai"
    : baseUrl.replace("//api.", "//");
}

function listOf(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** `wandb login --host`, `wandb offline` and `wandb init` write into one for the user and one for the current directory. */
function readFiles({ WANDB_CONFIG_DIR, WANDB_DIR }: NodeJS.ProcessEnv): Record<string, string> {
  const paths = [
    join(WANDB_CONFIG_DIR || join(homeDirectory(), ".config", "wandb"), "settings"),
    join(WANDB_DIR || ".", "wandb", "settings"),
  ];
  return Object.fromEntries(
    paths.flatMap((path) =>
      textOf(path)
        .split("\n")
        .flatMap((line) => {
          const [, name, value] = /^\s*(\w+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
          return name && value ? [[name, value]] : [];
        }),
    ),
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // as W&B's own client takes it
  }
}
