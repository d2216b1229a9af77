import { stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { reasonOf, writeFileAtomic } from "../files/atomic/atomic-file.js";
import { isJsonObject, type JsonObject, readJsonObject } from "../files/json-file.js";
import { makeDirectory } from "../files/make-directory.js";
import type { ClassifierResult } from "./classification/classifier-result.js";
import type { EvaluationResult } from "./evaluation.js";

/** In a directory. */
const RESULT_NAME = "evaluation.json";

/** What a comparison needs of a result; others than this program may have made it. */
export interface ComparableResult {
  /** Where it was read from. */
  file: string;
  /** The model's name, if the file tells. */
  model: string | undefined;
  textNormalization: readonly string[];
  utterances: ComparableUtterance[];
}

export interface ComparableUtterance {
  id: string;
  reference: string;
  hypothesis: string;
  split?: string | undefined;
  speaker?: string | undefined;
  /** The audio file, and where in it the clip begins and ends, in seconds. */
  path?: string | undefined;
  start?: number | undefined;
  end?: number | undefined;
  /** Of audio. */
  seconds?: number | undefined;
}

/** Keeps a result as JSON: complete, or as before. */
export async function writeResult(path: string, result: EvaluationResult | ClassifierResult): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(result, undefined, 1)}\n`);
}

/** The file to keep a result in: `path` where its name ends in .json, else in a directory of that name, which is made. */
export async function prepareResultPath(path: string): Promise<string> {
  if (/\.json$/i.test(path)) return path;
  await makeDirectory(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${path} must be a .json file or a directory to write to, but ${reasonOf(error)}.`);
  });
  return join(path, RESULT_NAME);
}

/**
 * Reads what {@link writeResult} or `evaluate --json` wrote: a JSON object with `utterances`, each with `id`, `reference`
 * and `hypothesis`.
 *
 * @param path a file, or a directory with `evaluation.json`
 * @throws UserError where there is none or it is no such result
 */
export async function readResult(path: string): Promise<ComparableResult> {
  const isDirectory = await stat(path).then(
    (state) => state.isDirectory(),
    () => false,
  );
  const file = isDirectory ? join(path, RESULT_NAME) : path;
  const json = await readJsonObject(file);
  if (json === undefined)
    throw new UserError(`${file} must be a result of 'wav2vec2 evaluate --output', but does not exist.`);
  const { utterances, model, task } = json;
  const textNormalization = json.textNormalization ?? json.normalize; // as it was called before
  if (typeof task === "string" && Array.isArray(json.clips))
    throw noResult(file, `is that of a classifier (task ${task}), which has no words to compare`);
  if (!Array.isArray(utterances) || utterances.length === 0) throw noResult(file, "has no utterances");
  const seen = new Set<string>();
  return {
    file,
    model: typeof model === "string" ? model : undefined,
    textNormalization: Array.isArray(textNormalization) ? textNormalization.map(String) : [],
    utterances: utterances.map((each: unknown, index) => {
      const utterance = comparable(each, index, file);
      if (seen.has(utterance.id)) throw noResult(file, `has utterance ${utterance.id} twice`);
      seen.add(utterance.id);
      return utterance;
    }),
  };
}

function comparable(each: unknown, index: number, file: string): ComparableUtterance {
  const { id, reference, hypothesis, ...rest }: JsonObject = isJsonObject(each) ? each : {};
  if (typeof id !== "string" || typeof reference !== "string" || typeof hypothesis !== "string")
    throw noResult(file, `utterance ${index + 1} lacks an id, a reference or a hypothesis`);
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const number = (value: unknown) => (typeof value === "number" ? value : undefined);
  return {
    id,
    reference,
    hypothesis,
    split: text(rest.split),
    speaker: text(rest.speaker),
    path: text(rest.path),
    start: number(rest.start),
    end: number(rest.end),
    seconds: number(rest.seconds),
  };
}

function noResult(file: string, found: string): UserError {
  return new UserError(`${file} must be a result of 'wav2vec2 evaluate --output', but ${found}.`);
}
