// A tracker of one's own beside the project's, which also ends the run: node examples/15-own-tracker.mjs DATA OUTPUT [STEPS]
import { combineTrackers, finetune, loadRecipe, trackRun } from "wav2vec2";

const [data, output, steps = "3200"] = process.argv.slice(2);
const file = new URL("../configs/finetune-digits.yaml", import.meta.url);
const recipe = loadRecipe(file, { "data.root": data, output, max_steps: Number(steps), logging_steps: 1 });
const stop = new AbortController();
const tracker = combineTrackers([
  trackRun(output, { verbosity: "quiet" }),
  {
    // Each method may be left out: begin, log, planned, resumed, tell, note, transcripts, histograms, saved, end, close …
    log({ loss, "eval/wer": wer }, step) {
      if (loss !== undefined) console.log(`step ${step}: loss ${loss.toFixed(3)}`);
      if (wer < 0.01) stop.abort(); // a checkpoint is written, and resume goes on
    },
    saved: (kind, directory, step) => console.log(`${kind} of step ${step} lies in ${directory}`),
  },
]);
await finetune(recipe, { tracker, signal: stop.signal });
