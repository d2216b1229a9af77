// A whole training run from code: node examples/05-finetune.mjs DATA OUTPUT [STEPS]
import { evaluateModel, finetune, loadRecipe, trackRun } from "wav2vec2";

const [data, output, steps = "3200"] = process.argv.slice(2);
const file = new URL("../configs/finetune-digits.yaml", import.meta.url);
const recipe = loadRecipe(file, { "data.root": data, output, max_steps: Number(steps) });
const tracker = trackRun(output);
const { model, ctc } = await finetune(recipe, { tracker });
const { wer } = await evaluateModel(model ?? ctc, { data, split: "dev" }); // of the best one, else of the last
console.log(`word error rate on dev: ${(wer * 100).toFixed(1)} %`);
