import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { TRANSFORMERS_FILES } from "../../files/hub/model-files.js";
import { writeConfig } from "../../model/configuration-file.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { writePreprocessor } from "../../pretrained/preprocessor.js";
import { modelClassOf } from "../../pretrained/weights.js";
import { type Dtype, networkFile, PREFERRED, shortName } from "./dtypes.js";

/** What stands in an exported directory. */
export const COMPANIONS = ["onnx", ...TRANSFORMERS_FILES, "tokens.txt"];

/** A network's file. */
export interface WrittenNetwork {
  dtype: Dtype;
  /** Whether its weights lie in a file beside it. */
  external: boolean;
}

/**
 * Writes what programs read beside the networks: configuration, preprocessing, the tokenizer's files, and sherpa-onnx's
 * `tokens.txt`.
 */
export async function writeCompanions(
  directory: string,
  { model, tokenizer, normalize }: CtcModel,
  networks: readonly WrittenNetwork[],
): Promise<void> {
  const { config } = model;
  const settings = pageSettings(networks);
  const extra =
    settings === undefined ? config.extra : { ...config.extra, "transformers.js_config": settings };
  await writeConfig(directory, { ...config, extra }, [modelClassOf(model)]);
  await writePreprocessor(directory, config, normalize);
  await tokenizer.write(directory);
  const { tokens, delimiterId } = tokenizer.vocabulary;
  // A line with an id alone is a space.
  const lines = tokens.map((token, id) => (id === delimiterId ? `  ${id}` : `${token} ${id}`));
  await writeFileAtomic(join(directory, "tokens.txt"), `${lines.join("\n")}\n`);
}

/** What transformers.js is to know: which file to take where there is none in float32, and whose weights lie outside. */
function pageSettings(networks: readonly WrittenNetwork[]): object | undefined {
  const outside = networks.filter(({ external }) => external);
  const preferred = PREFERRED.find((dtype) => networks.some((network) => network.dtype === dtype))!;
  const settings = {
    ...(preferred === "float32" ? {} : { dtype: shortName(preferred) }),
    ...(outside.length === 0
      ? {}
      : {
          use_external_data_format: Object.fromEntries(
            outside.map(({ dtype }) => [networkFile(dtype).replace("onnx/", ""), 1]),
          ),
        }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}
