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
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Where the index of corpora lies; not among the developer's own.
    env: { WAV2VEC2_CACHE: join(tmpdir(), "wav2vec2-tests-cache") },
  },
});
