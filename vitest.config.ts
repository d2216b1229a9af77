import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests that stand beside the sources: many small ones, which need not load everything anew for each file. */
const BESIDE_SOURCES = ["packages/*/src/**/*.test.ts", "packages/studio/speech/src/**/*.test.ts"];
/** Of these, files that replace a module, or count what the allocator keeps of the process. */
const ALONE = "**/*.alone.test.ts";

// Tests import the TypeScript sources of both packages (export condition "source"), not their builds.
export default defineConfig({
  resolve: { conditions: ["source", "node"] },
  ssr: { resolve: { conditions: ["source", "node"] } },
  test: {
    globalSetup: ["packages/wav2vec2/test/fixtures/shared-directory.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    env: {
      // Where the index of corpora lies; not among the developer's own.
      WAV2VEC2_CACHE: join(tmpdir(), "wav2vec2-tests-cache"),
      // Threads of libtorch that wait for one another leave the processor to the tests beside them.
      OMP_WAIT_POLICY: "passive",
    },
    projects: [
      {
        extends: true,
        test: { name: "shared", include: BESIDE_SOURCES, exclude: [ALONE], isolate: false },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: [
            ALONE,
            "packages/*/test/**/*.test.ts",
            "packages/*/setup/**/*.test.mjs",
            "scripts/**/*.test.mjs",
            "benchmarks/**/*.test.mjs",
            "site/*.test.mjs",
          ],
          exclude: ["**/node_modules/**"],
        },
      },
    ],
  },
});
