import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Tests import the TypeScript sources of both packages (export condition "source"), not their builds.
export default defineConfig({
  resolve: { conditions: ["source", "node"] },
  ssr: { resolve: { conditions: ["source", "node"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/studio/speech/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "packages/*/setup/**/*.test.mjs",
      "scripts/**/*.test.mjs",
      "benchmarks/**/*.test.mjs",
      "site/*.test.mjs",
    ],
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
  },
});
