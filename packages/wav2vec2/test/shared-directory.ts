import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A directory of all test files of a run. */
    sharedDirectory: string;
  }
}

/** Vitest's `globalSetup`. @returns what it calls at the end */
export default function setup({ provide }: TestProject): () => void {
  const directory = mkdtempSync(join(tmpdir(), "shared-by-tests-"));
  provide("sharedDirectory", directory);
  return () => rmSync(directory, { recursive: true, force: true });
}
