// When gradients are sent while the backward pass goes on: a picture of one update of BASE in two processes.
//   node benchmarks/overlap.mjs [--output docs/images/overlap.svg] [--seconds 5] [--clips 2]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openGroup, ownPlace, runRanks } from "./ranks.mjs";

const { values } = parseArgs({
  options: {
    output: { type: "string" },
    seconds: { type: "string", default: "5" },
    clips: { type: "string", default: "2" },
  },
});
const place = ownPlace();
const now = () => Number(process.hrtime.bigint()) / 1e6;

if (place !== undefined) {
  const { distributed, keep, randn, scope, setThreads } = await import("../packages/libtorch/dist/index.js");
  const { PRESETS } = await import("../packages/wav2vec2/dist/model/presets.js");
  const { Wav2Vec2ForPreTraining } = await import(
    "../packages/wav2vec2/dist/model/heads/pretraining/pretraining.js"
  );
  setThreads(1);
  const group = await openGroup(place);
  const model = new Wav2Vec2ForPreTraining({ ...PRESETS.base, layerdrop: 0 });
  const parameters = model.parameters();
  await distributed.shareValues(parameters, group);
  const reducer = new distributed.Reducer(group, parameters, { traced: true });
  const input = keep(randn([Number(values.clips), Number(values.seconds) * 16_000]));
  let times;
  for (let update = 0; update < 3; update++) {
    reducer.begin();
    reducer.sendNext();
    const began = now();
    let backward;
    scope(() => {
      const { loss } = model.forward({ input });
      backward = now();
      loss.backward();
    });
    const ended = now();
    await reducer.finish();
    times = { began, backward, ended, done: now(), trace: reducer.trace() };
    const { arrivals } = reducer;
    reducer.assign(reducer.arrived());
    for (const parameter of parameters) parameter.grad = undefined;
    if (update === 0) {
      const [first] = await group.gatherBytes(Buffer.from(JSON.stringify(arrivals)));
      reducer.arrange(JSON.parse(Buffer.from(first).toString()));
    }
  }
  if (place.rank === 0) console.log(JSON.stringify(times));
  await group.barrier();
  process.exit(0);
}

const { began, backward, ended, done, trace } = await runRanks(2);
const hidden = trace.filter((exchange) => exchange.done <= ended).reduce((sum, { bytes }) => sum + bytes, 0);
const all = trace.reduce((sum, { bytes }) => sum + bytes, 0);
console.log(
  `forward ${(backward - began).toFixed(0)} ms, backward ${(ended - backward).toFixed(0)} ms, then ${(done - ended).toFixed(0)} ms until the last ` +
    `sum was there; ${trace.length} buckets of ${(all / 2 ** 20).toFixed(0)} MiB, ${((100 * hidden) / all).toFixed(0)} % of the bytes summed before the ` +
    "backward pass ended.",
);
if (values.output) writeFileSync(values.output, picture());

/** Time goes to the right; a row a bucket. */
function picture() {
  const [left, width, row] = [150, 700, 16];
  const x = (time) => left + ((time - began) / (done - began)) * width;
  const bar = (from, to, y, colour, label) =>
    `<rect x="${x(from).toFixed(1)}" y="${y}" width="${Math.max(1, x(to) - x(from)).toFixed(1)}" height="${row - 4}" fill="${colour}"><title>${label}</title></rect>`;
  const rows = trace.map(({ bucket, bytes, sent, done: there }, place) => {
    const y = 64 + place * row;
    const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    return `<text x="${left - 8}" y="${y + 10}" text-anchor="end">bucket ${bucket}, ${size}</text>${bar(sent, there, y, "#d97706", `${(there - sent).toFixed(0)} ms`)}`;
  });
  const height = 64 + trace.length * row + 40;
  const seconds = Array.from({ length: Math.floor((done - began) / 1000) + 1 }, (_, second) => {
    const at = x(began + 1000 * second).toFixed(1);
    return `<line x1="${at}" x2="${at}" y1="24" y2="${height - 28}" stroke="#e5e7eb"/><text x="${at}" y="${height - 12}" text-anchor="middle">${second} s</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 30} ${height}" font-family="sans-serif" font-size="11" fill="#374151">
<title>Gradients of an update of BASE are summed while the backward pass goes on</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="8" y="16" font-size="13">One update of BASE in rank 0 of two processes: gradients are summed while the backward pass goes on</text>
${seconds.join("\n")}
<text x="${left - 8}" y="42" text-anchor="end">forward, backward</text>
${bar(began, backward, 32, "#93c5fd", "forward")}${bar(backward, ended, 32, "#2563eb", "backward")}
${rows.join("\n")}
</svg>
`;
}
