import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { generate, kernels, target } from "./kernels.mjs";

it.each(kernels)("the kernel %s was compiled since its source was changed", async (kernel) => {
  const generated = readFileSync(target(kernel), "utf8");
  expect(await generate(kernel), "node scripts/kernels.mjs makes it anew").toBe(generated);
  const [, base64] = generated.match(/"(.*)"/);
  expect(Buffer.from(base64, "base64").length).toBeLessThan(4096); // what a page compiles at once
});
