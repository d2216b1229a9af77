// The control vector of an update between many processes: how long Gloo's all-reduce of 230 numbers takes, and how long the
// processes take to meet, with all of them in this one program.
//   node benchmarks/control-vector.mjs [--processes 2,8,32,64]
// All share this machine's cores, so times say little about many machines. Processor time says what each message costs.
import { parseArgs } from "node:util";
import { distributed, keep, setThreads, tensor } from "../packages/libtorch/dist/index.js";

const { values } = parseArgs({ options: { processes: { type: "string", default: "2,8,32,64" } } });
const REPEATS = 50;
setThreads(1);

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const processorTime = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};
const timed = async (action) => {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const result = await action();
  return { result, time: performance.now() - began, processor: processorTime(used) };
};

const host = "127.0.0.1";
console.log(
  "| processes | request to the store | meeting | its processor time | all-reduce | least | processor time a process | a hop |",
);
console.log("|---|---|---|---|---|---|---|---|");
for (const size of values.processes.split(",").map(Number)) {
  const server = await distributed.TCPStore.open({ host, port: 0, isServer: true });
  const client = () => distributed.TCPStore.open({ host, port: server.port, isServer: false });
  const stores = [server, ...(await Promise.all(Array.from({ length: size - 1 }, client)))];
  const requests = await timed(async () => {
    for (let i = 0; i < 1000; i++) await stores.at(-1).check(["absent"]);
  });
  const meeting = await timed(() =>
    Promise.all(
      stores.map((store, rank) =>
        distributed.ProcessGroup.open({
          store,
          rank,
          size,
          name: "control",
          timeoutMs: 60_000,
          address: host,
          backend: "gloo",
        }),
      ),
    ),
  );
  const groups = meeting.result;
  const vectors = groups.map(() => keep(tensor(new Float64Array(230))));
  const times = [];
  const all = await timed(async () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const { time } = await timed(() =>
        Promise.all(groups.map((group, rank) => group.allReduce(vectors[rank]))),
      );
      times.push(time);
    }
  });
  const each = all.processor / REPEATS / size;
  console.log(
    `| ${size} | ${Math.round(requests.time)} us | ${meeting.time.toFixed(0)} ms | ${meeting.processor.toFixed(0)} ms | ` +
      `${median(times).toFixed(2)} ms | ${Math.min(...times).toFixed(2)} ms | ${each.toFixed(2)} ms | ` +
      `${((1000 * each) / (2 * (size - 1))).toFixed(0)} us |`,
  );
  for (const group of groups) await group.close();
  for (const store of stores.reverse()) await store.close();
}
process.exit(0);
