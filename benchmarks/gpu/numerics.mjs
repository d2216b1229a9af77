// Every operator beside its float64 self on a device, as JSON: {checks, faults, workarounds}.
//   node benchmarks/gpu/numerics.mjs DEVICE
import { numericsCheck } from "@wav2vec2/libtorch";

const [device = "cpu"] = process.argv.slice(2);
console.log(JSON.stringify(numericsCheck({ device })));
