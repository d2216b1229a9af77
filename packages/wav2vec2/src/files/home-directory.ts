import { homedir, userInfo } from "node:os";

/**
 * The user's home directory; `/`, as containers have it, where neither `HOME` nor the system knows one: what belongs there is
 * then not found, and may not be written.
 */
export function homeDirectory(): string {
  try {
    return homedir() || userInfo().homedir || "/";
  } catch {
    return "/"; // a user whom the system does not list
  }
}
