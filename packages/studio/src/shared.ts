// What the page has in common with the server and the reports: the one place that imports from there. Only modules
// without Node.js in them.

export { toneAt } from "../../wav2vec2/src/pages/colors.js";
export type * from "../../wav2vec2/src/serve/dashboard/protocol.js";
export { alignWords, countErrors, type WordPair } from "../../wav2vec2/src/text/scoring/aligned-words.js";
export { formatDuration } from "../../wav2vec2/src/tracking/duration.js";
export {
  COLORS as SHARE_COLORS,
  levelOf,
  percentOf,
  SCALE,
} from "../../wav2vec2/src/tracking/report/codebooks/codebook-colors.js";
export {
  marks,
  roundTimes,
  shade,
  strip,
  wave,
} from "../../wav2vec2/src/tracking/report/codebooks/coded-clip-drawing.js";
export { isPerplexityOfCollapse } from "../../wav2vec2/src/tracking/report/codebooks/collapse.js";
export { TASK_NAMES } from "../../wav2vec2/src/tracking/trained-task.js";
