// What 8, 64 and 512 GPUs would make of pre-training BASE and LARGE: a prediction from measured pieces, data sheets and
// assumptions, offline and without a GPU, in a few seconds.
//   node benchmarks/scale.mjs
//   node benchmarks/scale.mjs --numbers                          every number that it rests on, and where that is from
//   node benchmarks/scale.mjs --set share=0.3 --set hostGpus=4   with others
// --json FILE writes everything. docs/scale.md tells how it is computed; --draw docs/images/scale.svg draws that page's picture.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { drawEfficiency } from "./scale/draw.mjs";
import { NUMBERS, numbersWith } from "./scale/numbers.mjs";
import { clips, share } from "./scale/plan.mjs";
import { NETWORKS, predict, supplies } from "./scale/predict.mjs";

const { values: options } = parseArgs({
  options: {
    set: { type: "string", multiple: true, default: [] },
    numbers: { type: "boolean", default: false },
    json: { type: "string" },
    draw: { type: "string" },
  },
});
const numbers = numbersWith(options.set);

const digits = (number) => (number < 99.5 ? String(Number(number.toPrecision(2))) : whole(number));
const ms = (seconds) => digits(1000 * seconds);
const percent = (part) => `${(100 * part).toFixed(1)} %`;
const whole = (number) => Math.round(number).toLocaleString("en");
const table = (head, rows) => {
  console.log(`| ${head.join(" | ")} |\n|${"---|".repeat(head.length)}`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  console.log();
};

if (options.numbers) {
  const rows = Object.entries(NUMBERS).map(([name, [, unit, source, what]]) => [
    `\`${name}\``,
    `${numbers[name] >= 1e4 || numbers[name] < 1e-3 ? numbers[name].toExponential().replace("e+", "e") : numbers[name]} ${unit}`.trim(),
    options.set.some((change) => change.startsWith(`${name}=`)) ? "given" : source,
    what,
  ]);
  table(["name", "value", "from", "what"], rows);
  process.exit(0);
}

const utterances = clips();
// Without --set share: what the best published trainer reaches, and what this project aims at on the faster card.
const givenShare = options.set.some((change) => change.startsWith("share="));
const machines = [
  { card: "a100", share: givenShare ? numbers.share : 0.16 },
  { card: "h100", share: givenShare ? numbers.share : 0.3 },
].map((machine) => ({
  ...machine,
  name: `${machine.card.toUpperCase()}, ${Math.round(100 * machine.share)} %`,
  numbers: { ...numbers, share: machine.share },
}));
const results = [];

/** How GPUs divide the paper's update; where they are more than its parts, each takes less, or the update grows. */
function sharings(network, gpus) {
  const { batchSeconds, parts } = NETWORKS[network];
  if (gpus <= parts) return [{ batchSeconds, accumulation: parts / gpus }];
  return [
    { batchSeconds: (batchSeconds * parts) / gpus, accumulation: 1 },
    { batchSeconds, accumulation: 1 },
  ];
}

console.log("The plan: 281,241 clips with lengths like LibriSpeech's\n");
table(
  [
    "batches of",
    "accumulation",
    "waiting of 2, 8, 64, 512 processes",
    "updates an epoch of 2, 8, 64, 512",
    "planning",
    "memory",
  ],
  [
    [100, 1],
    [87.5, 1],
    [87.5, 8],
    [75, 16],
  ].map(([batchSeconds, accumulation]) => {
    const all = [2, 8, 64, 512].map((processes) =>
      share(utterances, { processes, accumulation, batchSeconds }),
    );
    return [
      `${batchSeconds} s`,
      accumulation,
      all.map(({ waiting }) => percent(waiting)).join(", "),
      all.map(({ updates }) => whole(updates)).join(", "),
      `${all[0].planning.toFixed(2)} s`,
      `${(all[0].planBytes / 1e6).toFixed(0)} MB`,
    ];
  }),
);

for (const network of Object.keys(NETWORKS)) {
  const { updates, hours } = NETWORKS[network];
  console.log(`${network}, the paper's update: ${hours} h. Times of an update in ms\n`);
  const rows = [];
  for (const machine of machines) {
    for (const gpus of [8, 64, 512]) {
      for (const sharing of sharings(network, gpus)) {
        const one = { network, card: machine.card, gpus, ...sharing };
        const found = predict(one, machine.numbers, utterances);
        results.push({ ...one, machine: machine.name, ...found, supplies: supplies(found, one, numbers) });
        rows.push([
          machine.name,
          gpus,
          `${sharing.accumulation} x ${Number(sharing.batchSeconds.toPrecision(3))} s`,
          `${(found.audio / 3600).toFixed(1)} h`,
          ms(found.compute),
          percent(found.waiting),
          `${ms(found.sent.busy)}, ${ms(found.sent.exposed)}`,
          ms(found.host),
          ms(found.seconds),
          percent(found.efficiency),
          whole(found.audio / found.seconds),
          ((updates * found.seconds * ((hours * 3600) / found.audio)) / 86400).toFixed(1),
          found.limit,
        ]);
      }
    }
  }
  table(
    [
      "card, share of its peak",
      "GPUs",
      "a GPU's part",
      "audio an update",
      "compute",
      "waiting",
      "gradients: sent, waited for",
      "host",
      "update",
      "efficiency",
      "hours an hour",
      "days for the paper's hours",
      "largest loss",
    ],
    rows,
  );
}

console.log("One Ethernet card of 100 Gb/s a host: efficiency with gradients in float32, in bfloat16\n");
table(
  ["network", "card, share of its peak", "64 GPUs", "512 GPUs, whole parts"],
  Object.keys(NETWORKS).flatMap((network) =>
    machines.map((machine) => [
      network,
      machine.name,
      ...[64, 512].map((gpus) => {
        const one = {
          network,
          card: machine.card,
          gpus,
          ...sharings(network, gpus).at(-1),
          between: "ethernet",
        };
        return ["none", "bfloat16"]
          .map((compression) => predict({ ...one, compression }, machine.numbers, utterances))
          .map(({ efficiency }) => percent(efficiency))
          .join(", ");
      }),
    ]),
  ),
);

console.log("What else must keep up, whole parts\n");
table(
  [
    "network, card",
    "GPUs",
    "speech a GPU hears in a second",
    "workers a GPU",
    "FLAC read, a host and all",
    "an epoch",
    "control vector",
    "1,000 updates",
    "writing a checkpoint",
    "waiting for its copy",
    "meeting at the store",
    "a failure every",
  ],
  results
    .filter(({ batchSeconds, network }) => batchSeconds === NETWORKS[network].batchSeconds)
    .map(({ network, machine, gpus, speechASecond, controlBytes, control, supplies: found }) => [
      `${network}, ${machine}`,
      gpus,
      `${whole(speechASecond)} s`,
      found.workers.toFixed(1),
      `${whole(found.hostBytes / 1e6)} MB/s, ${(found.allBytes / 1e9).toFixed(2)} GB/s`,
      `${digits(found.epoch)} s`,
      `${(controlBytes / 1000).toFixed(1)} kB, ${ms(control)} ms`,
      `${whole(found.every)} s`,
      `${found.write.toFixed(1)} s`,
      percent(found.snapshotShare),
      `${digits(found.meeting)} s`,
      `${whole(found.failureHours)} h`,
    ]),
);

if (options.json) writeFileSync(options.json, `${JSON.stringify({ numbers, results }, null, 2)}\n`);
if (options.draw) writeFileSync(options.draw, await drawEfficiency(numbers, utterances));
