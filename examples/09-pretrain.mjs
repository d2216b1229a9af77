// Pre-training from code, then a clip as the codes that were learned: node examples/09-pretrain.mjs DATA OUTPUT [STEPS]
import { loadCoder, loadRecipe, pretrain, readAudio, readCorpus, trackRun } from "wav2vec2";

const [data, output, steps = "2500"] = process.argv.slice(2);
const file = new URL("../configs/pretrain-tiny.yaml", import.meta.url);
const recipe = loadRecipe(file, { "data.root": data, output, max_steps: Number(steps) });
const tracker = trackRun(output);
const { model, contrastiveLoss, chanceLoss } = await pretrain(recipe, { tracker });
console.log(`contrastive loss ${contrastiveLoss?.toFixed(3)}, by chance ${chanceLoss.toFixed(3)}`);

const { utterances } = await readCorpus(data, "dev", { transcripts: "none" }); // what is said is not needed
if (!model) throw new Error("The run must have a best model, but was interrupted before any.");
const coder = await loadCoder(model);
const { codes } = await coder.codesOf(await readAudio(utterances[0].path));
console.log(`${utterances[0].id}: ${codes.map((entries) => entries.join("-")).join(" ")}`);
