import { expect, it } from "vitest";
import { readElsewhere } from "./elsewhere.js";
import { readLinux } from "./linux.js";

it.skipIf(process.platform !== "linux")("is read in the units of Linux, where both can be", async () => {
  const [own, other] = [readLinux(), await readElsewhere()];
  expect(other.memory.available / other.memory.total).toBeGreaterThan(0);
  expect(other.memory.available).toBeLessThan(other.memory.total);
  expect(other.memory.total / own.memory.total).toBeGreaterThan(0.99); // not less than a container may use
  expect(other.cpu.busy).toBeGreaterThan(0);
  expect(other.cpu.busy).toBeLessThan(other.cpu.all);
  expect(other.swap?.used).toBeGreaterThanOrEqual(0);
  for (const bytes of [other.network?.sent, other.network?.received]) expect(bytes).toBeGreaterThanOrEqual(0);
});
