// Systems on which no libtorch can be had: known at once, before anything is fetched or written.
import { systemGlibc } from "./glibc.mjs";
import { setupCommand } from "./places.mjs";
import { SetupError } from "./report.mjs";

/** By Node.js's name of the system. */
const NAMES = /** @type {Record<string, string>} */ ({
  win32: "Windows",
  freebsd: "FreeBSD",
  openbsd: "OpenBSD",
  sunos: "SunOS",
  aix: "AIX",
});
const IMAGE = "a container:       one of Debian or Ubuntu, such as node:22-bookworm-slim";

/**
 * @param {boolean} named whether a person named a libtorch of their own
 * @param {{ platform?: string, hasGlibc?: boolean }} [system]
 * @throws {SetupError} with what works instead
 */
export function checkSystem(
  named,
  { platform = process.platform, hasGlibc = systemGlibc() !== undefined } = {},
) {
  if (platform === "darwin") return;
  if (platform !== "linux") {
    const commands =
      platform === "win32"
        ? ["Linux in Windows:  wsl --install", `  and in it:       ${setupCommand()}`]
        : [];
    throw new SetupError(
      `The system must be Linux or macOS, but is ${NAMES[platform] ?? platform}: the bridge to libtorch is not made for it.`,
      { commands: [...commands, IMAGE] },
    );
  }
  if (hasGlibc || named) return;
  throw new SetupError(
    "The C library must be glibc, but is another one (Alpine Linux has musl): torch's wheels are compiled for glibc.",
    { commands: [IMAGE, `your own libtorch: ${setupCommand("PATH")}`] },
  );
}
