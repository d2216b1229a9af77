import { defineConfig } from "vitest/config";

// Tests import the TypeScript sources of both packages (export condition "source"), not their builds.
export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "scripts/**/*.test.mjs"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
