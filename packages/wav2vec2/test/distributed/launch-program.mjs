// What the tests of launch run in place of a training: each rank does what the table among the arguments says of it,
// "*" of all others. Behind "|" stands what it does from the second start on.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeErrorFile } from "../../dist/distributed/launch/error-file.js";
import { watchParent } from "../../dist/distributed/launch/parent-watch.js";

watchParent(process.env, 1);
const { RANK, TORCHELASTIC_RESTART_COUNT: attempt, TORCHELASTIC_ERROR_FILE: errorFile } = process.env;
const table = JSON.parse(process.argv.find((argument) => argument.startsWith("{")));
const [first, later = first] = (table[RANK] ?? table["*"] ?? "exit 0").split("|");
const [action, value] = (attempt === "0" ? first : later).split(/ (.*)/);

const signals = [];
for (const name of ["SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"])
  process.on(name, () => {
    signals.push(name);
    console.log(`got ${signals.join(" ")}`);
    if (action === "stubborn" || name.startsWith("SIGUSR")) return;
    // A second one, if there is one by mistake, is seen too.
    setTimeout(() => process.exit(name === "SIGINT" ? 130 : 143), 300);
  });

function fail(detail) {
  writeErrorFile(errorFile, { message: `UserError: ${detail}`, detail, time: Date.now(), exitCode: 1 });
}

console.log(`pid ${process.pid}`);
console.log(
  `started ${process.argv
    .slice(2)
    .filter((argument) => !argument.startsWith("{"))
    .join(" ")}`,
);
switch (action) {
  case "exit":
    process.exitCode = Number(value);
    break;
  case "say":
    console.log(value);
    console.error(`${value} on stderr`);
    break;
  case "place": {
    const names =
      /^(RANK|(LOCAL|GROUP|ROLE)_RANK|WORLD_SIZE|(LOCAL|GROUP|ROLE)_WORLD_SIZE|ROLE_NAME|MASTER_.*|TORCHELASTIC_.*|OMP_NUM_THREADS|CUDA_VISIBLE_DEVICES|WAV2VEC2_LOCAL_ADDR)$/;
    const own = Object.entries(process.env).filter(([name]) => names.test(name));
    console.log(JSON.stringify(Object.fromEntries(own)));
    break;
  }
  case "fail": // says so and stays, as one that waits for a thread
    fail("wrong,\nbecause so");
    setInterval(() => {}, 1_000);
    break;
  case "fail-behind": {
    const other = join(dirname(dirname(errorFile)), value, "error.json");
    while (!existsSync(other)) await sleep(20);
    await sleep(20);
    fail("no answer");
    process.exitCode = 1;
    break;
  }
  case "die":
    process.kill(process.pid, value);
    break;
  case "meet": {
    // all of them, in the store
    const { distributed } = await import("@wav2vec2/libtorch");
    const { MASTER_ADDR: host, MASTER_PORT: port, WORLD_SIZE: size } = process.env;
    const store = await distributed.TCPStore.open({
      host,
      port: Number(port),
      isServer: false,
      timeoutMs: 60_000,
    });
    await store.set(`rank/${RANK}`, RANK);
    await store.wait(Array.from({ length: Number(size) }, (_, rank) => `rank/${rank}`));
    console.log(`met ${size}`);
    await store.close();
    break;
  }
  case "wait":
  case "stubborn":
    setInterval(() => {}, 1_000);
    break;
  default:
    throw new Error(`unknown action ${action}`);
}
