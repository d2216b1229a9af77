import { expect, test } from "vitest";
import { bridgePath } from "../../packages/libtorch/setup/places.mjs";
import { neededGlibc } from "./needed-glibc.mjs";
import { OLDEST_GLIBC } from "./target.mjs";

const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (
  /** @type {unknown} */ (process.report.getReport())
);
const [, minor] = (report.header.glibcVersionRuntime ?? "").split(".").map(Number);

// Releases are compiled on Debian 12 (glibc 2.36); headers of later ones name later functions.
test.runIf(minor !== undefined && minor <= 36)(
  "what is compiled here loads with the glibc that a package's bridge is for",
  () => {
    expect(neededGlibc(bridgePath())).toBe(OLDEST_GLIBC);
  },
);
