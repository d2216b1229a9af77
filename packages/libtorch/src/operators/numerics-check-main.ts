// What set-up runs after building the bridge: exit code 1 where this libtorch computes something wrongly.

import { libtorchInfo } from "../runtime.js";
import { numericsCheck } from "./numerics-check.js";

const { checks, faults, workarounds } = numericsCheck();
const verdict = faults.length === 0 ? "all right" : `${faults.length} operators wrong`;
console.log(`libtorch ${libtorchInfo().version}: ${checks} numerical checks, ${verdict}`);
for (const workaround of workarounds) console.log(`  worked around: ${workaround}`);
for (const { operator, message } of faults) console.log(`  wrong: ${operator}: ${message}`);
process.exitCode = faults.length === 0 ? 0 : 1;
