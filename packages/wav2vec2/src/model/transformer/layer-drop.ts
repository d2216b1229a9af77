import { uniform } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../configuration.js";

/** LayerDrop (Fan et al. 2020, arXiv 1909.11556): whether to leave a layer out this time. */
export function skipsLayer(training: boolean, { layerdrop }: Pick<Wav2Vec2Config, "layerdrop">): boolean {
  return training && layerdrop > 0 && uniform(1)[0]! < layerdrop;
}
