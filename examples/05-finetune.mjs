// A whole training run from code: node examples/05-finetune.mjs DATA OUTPUT [STEPS]
import { evaluateModel, finetune, loadRecipe, trackRun } from "wav2vec2";

const [data, output, steps = "3200"] = process.argv.slice(2);
const values = { "data.root": data, output, max_steps: Number(steps) };
const overrides = new Map(Object.entries(values).map(([key, value]) => [key, { value, option: key }]));
const recipe = loadRecipe("configs/finetune-digits.yaml", overrides);
const tracker = trackRun(output, { steps: recipe.max_steps, resume: false });
const { model } = await finetune(recipe, { resume: false, signal: new AbortController().signal, tracker });
await tracker.close();
const { wer } = await evaluateModel(model, { data, split: "dev" });
console.log(`word error rate on dev: ${(wer * 100).toFixed(1)} %`);
