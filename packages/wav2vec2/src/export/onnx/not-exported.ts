import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../errors.js";
import { isHubId } from "../../files/hub/hub-id.js";
import { chooseWeights } from "../../files/hub/model-files.js";
import { shellName } from "../../files/shell-name.js";
import type { Dtype } from "./dtypes.js";

/**
 * Says that onnxruntime has no network to run, with the command that writes one where the model is known.
 *
 * @param model what was named as a directory that `export` wrote
 * @param dtype that was asked for
 */
export function notExported(model: string, dtype: Dtype | undefined): UserError {
  const must = `${model} must be a directory that export wrote, but`;
  const error = (rest: string) => new UserError(`${must} ${rest}`, { code: "ERR_MODEL_NOT_FOUND" });
  const source = [model, join(model, "best"), join(model, "final")].find(hasWeights); // itself, or those of a run
  if (source !== undefined) {
    const to = `${model.replace(/\/+$/, "")}-onnx`;
    return error(`holds a model as libtorch runs it. Run ${exportTo(source, to, dtype)}.`);
  }
  if (existsSync(model))
    return error("holds no network. Name one that is written by: npx wav2vec2 export MODEL --to DIRECTORY.");
  if (!isHubId(model)) return error(`there is no ${resolve(model)}. Check its path.`);
  return error(
    `there is no directory ${resolve(model)}. If the Hub has it, run ${exportTo(model, `${basename(model)}-onnx`, dtype)}.`,
  );
}

function hasWeights(directory: string): boolean {
  return chooseWeights((name) => existsSync(join(directory, name))) !== undefined;
}

function exportTo(model: string, to: string, dtype: Dtype | undefined): string {
  const numbers = dtype === undefined ? "" : ` --dtype ${dtype}`;
  const place = shellName(to);
  return `npx wav2vec2 export ${shellName(model)} --to ${place}${numbers}, and name ${place}`;
}
