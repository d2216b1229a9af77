import type { SharedModel } from "../../pretrained/shared-model.js";
import type { CtcTokenizer } from "../../text/tokenizer.js";
import type { WindowScorer } from "./window-batches.js";

/** The network of a pool's thread, whatever runs it. */
export interface PoolNetwork extends WindowScorer {
  tokenizer: CtcTokenizer;
  /** For other threads, where this one has loaded a model of libtorch. */
  shared?: SharedModel | undefined;
}
