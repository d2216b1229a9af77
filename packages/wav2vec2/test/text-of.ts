import { readFileSync } from "node:fs";

/** A file that another process may write, replace or remove at any moment; nothing where there is none. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
