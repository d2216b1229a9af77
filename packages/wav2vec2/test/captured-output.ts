import { vi } from "vitest";

/** What a command of the program wrote instead of showing it. */
export class CapturedOutput {
  stdout = "";
  stderr = "";

  /** Begins anew, until `vi.restoreAllMocks()`. */
  start(): void {
    this.clear();
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      this.stdout += text;
      return true;
    });
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      this.stderr += text;
      return true;
    });
  }

  clear(): void {
    this.stdout = this.stderr = "";
  }
}
