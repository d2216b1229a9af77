import { join } from "node:path";
import { type nn, saveTensors } from "@wav2vec2/libtorch";
import { writeDirectoryAtomic } from "../../files/atomic-directory.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { writeConfig } from "../../model/configuration-file.js";
import { findBackbone } from "../../pretrained/backbone.js";
import { writePreprocessor } from "../../pretrained/preprocessor.js";
import type { Recipe } from "../recipe/recipe.js";

/** Writes a module's weights, and the configuration of the network in it where it has one; complete, or as it was before. */
export async function saveOwnModule(
  directory: string,
  module: nn.Module & { readonly config?: Wav2Vec2Config },
  given: Wav2Vec2Config | undefined,
  recipe: Recipe,
): Promise<void> {
  const config = given ?? findBackbone(module)?.model.config;
  await writeDirectoryAtomic(directory, async (temporary) => {
    await saveTensors(join(temporary, "model.safetensors"), module.namedParameters(), { format: "pt" });
    if (!config) return;
    await writeConfig(temporary, config, [module.constructor.name]);
    await writePreprocessor(temporary, config, recipe.data.normalize ?? true);
  });
}
