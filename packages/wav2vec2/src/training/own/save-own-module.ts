import { join } from "node:path";
import { type nn, saveTensors } from "@wav2vec2/libtorch";
import { writeDirectoryAtomic } from "../../files/atomic/atomic-directory.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { findBackbone } from "../../pretrained/backbone.js";
import { saveModel } from "../../pretrained/model-directory.js";
import type { Recipe } from "../recipe/recipe.js";

/** Writes a module as `saveModel`; without a configuration, its weights alone. */
export async function saveOwnModule(
  directory: string,
  module: nn.Module & { readonly config?: Wav2Vec2Config },
  given: Wav2Vec2Config | undefined,
  recipe: Recipe,
): Promise<void> {
  const config = given ?? module.config ?? findBackbone(module)?.model.config;
  if (config) return await saveModel(directory, module, { normalize: recipe.data.normalize ?? true, config });
  await writeDirectoryAtomic(directory, (temporary) =>
    saveTensors(join(temporary, "model.safetensors"), module.stateDict(), { format: "pt" }),
  );
}
