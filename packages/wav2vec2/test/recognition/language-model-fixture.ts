import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** What reference/golden_language_models.py made with KenLM. */
export interface GoldenModels {
  text: string[];
  /** What the models are asked. */
  sentences: string[];
  models: Record<
    string,
    {
      options: { order: number; prune?: number[]; fallback?: number[]; vocabulary?: string[] };
      /** What lmplz made; null where it refused. */
      arpa: string | null;
      /** Of each sentence and of its end: log10 of the probability, length of the n-gram, whether unknown. */
      scores: [logProbability: number, length: number, unknown: boolean][][] | null;
    }
  >;
}

const file = new URL("../golden/language-models.json.gz", import.meta.url);
export const golden = JSON.parse(gunzipSync(readFileSync(file)).toString()) as GoldenModels;
