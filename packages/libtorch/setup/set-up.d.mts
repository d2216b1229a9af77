import type { BuiltFor } from "@wav2vec2/libtorch/built-for";

/** What set-up tells while it works. */
export class Report {
  constructor(steps: number, stream?: NodeJS.WriteStream);
  step(title: string): void;
  done(text: string): void;
  failure(error: unknown): void;
}

/** A step of set-up that cannot go on: the reason, and the commands that a person can run instead. */
export class SetupError extends Error {
  readonly commands: readonly string[];
}

/** For the usage of what calls it. */
export const CHOICES: string;

/**
 * Finds or fetches libtorch, takes a compiled bridge or builds one, and checks what it computes; less than a second where
 * nothing is to be done.
 *
 * @param options libtorch: `wheel`, `cuda`, `cuda==VERSION`, `system`, `auto` or a folder
 * @throws SetupError after nothing half-done was left behind
 */
export function setUpLibtorch(options?: {
  libtorch?: string | undefined;
  report?: Report;
}): Promise<BuiltFor>;
