// The device itself: its name, and how fast it multiplies matrices in bfloat16.
//   node benchmarks/gpu/device.mjs DEVICE QUICK
import { spawnSync } from "node:child_process";
import { cudaBuild, gpus, libtorchInfo, randn, scope } from "@wav2vec2/libtorch";

const [device = "cpu", quick = "false"] = process.argv.slice(2);
const { version } = libtorchInfo();
const { cudaDevices: cards } = gpus();

if (device.startsWith("cuda") && cards === 0) {
  console.log(JSON.stringify({ error: `device must be one that libtorch can use, but ${device} is not.` }));
} else {
  const name = device.startsWith("cuda") ? nameOf(Number(device.split(":")[1] ?? 0)) : undefined;
  const found = { version, cuda: cudaBuild()?.version, name, cards, matmulPeak: peak(device) };
  console.log(JSON.stringify(found));
}

/** @returns {string | undefined} as the driver gives it */
function nameOf(index) {
  const listed = spawnSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], { encoding: "utf8" });
  return listed.status === 0 ? listed.stdout.trim().split("\n")[index] : undefined;
}

/**
 * @returns 10^12 operations a second of the fastest of some square products; memory is read little beside them. Of random
 *   numbers: a card multiplies equal ones faster, at less power
 */
function peak(on) {
  const size = quick === "true" ? 1024 : 8192;
  const repeats = quick === "true" ? 4 : 50;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    scope(() => {
      const matrix = randn([size, size], { dtype: "bfloat16", device: on });
      let product = matrix.matmul(matrix);
      product.sum().item(); // waits for the device
      const began = performance.now();
      for (let i = 0; i < repeats; i++) scope(() => void matrix.matmul(matrix));
      product = matrix.matmul(matrix);
      product.sum().item();
      best = Math.min(best, (performance.now() - began) / 1000 / (repeats + 1));
    });
  }
  return (2 * size ** 3) / best / 1e12;
}
