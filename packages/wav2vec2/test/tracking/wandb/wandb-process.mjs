// A process that logs step after step until it is killed, and says which ones: node wandb-process.mjs DIRECTORY
import { setTimeout } from "node:timers/promises";
import { wandbSink } from "../../../dist/tracking/sinks/wandb/wandb.js";

const directory = process.argv[2];
const sink = wandbSink(
  { now: Date.now, note: () => {}, stop: () => {} },
  { directory, because: "recipe", logModel: "none", wandb: { resume: "append" }, mlflow: {} },
);
await sink.begin({
  name: "a run",
  id: "abcd1234",
  directory,
  task: "pretrain",
  recipe: {},
  config: {},
  parameters: { all: 1, trained: 1 },
  processes: 1,
  host: "host",
  device: "cpu",
  command: ["wav2vec2", "pretrain"],
  versions: { wav2vec2: "0.1.0", libtorch: "2.9.0", node: process.versions.node },
  began: Date.now(),
  resumed: false,
});
for (let step = 1; ; step++) {
  await sink.log({ loss: step / 10, text: 0 }, step);
  process.stdout.write(`${step}\n`);
  await setTimeout(1);
}
