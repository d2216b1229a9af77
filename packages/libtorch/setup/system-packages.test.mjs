import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakePrograms, keptReport, temporaryFolder } from "./fixtures.mjs";
import { SetupError } from "./report.mjs";
import { installPackages, missingBuildTools } from "./system-packages.mjs";

const CMAKE = { name: "cmake", why: "configures" };
const GLOO = { name: "libgloo-dev", why: "headers" };

/**
 * An apt-get that writes down how it is called and fails where a package's name is among its words.
 * @param {string} [failing]
 */
function fakeApt(failing = "no such package") {
  const folder = fakePrograms({
    "apt-get": `echo "$DEBIAN_FRONTEND $*" >> "$(dirname "$0")/calls"
      case "$*" in *"${failing}"*) echo "E: Unable to locate package"; exit 100;; esac`,
    sudo: 'shift; [ "$1" = true ] || exec env "$@"',
  });
  const log = join(temporaryFolder(), "apt.log");
  const kept = keptReport();
  const calls = () =>
    existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8").trim().split("\n") : [];
  return { calls, lines: kept.lines, log, options: { report: kept.report, log } };
}

test("packages are installed in one go, without questions and recommendations", async () => {
  const { calls, options, lines, log } = fakeApt();
  await installPackages([CMAKE], [GLOO], options);
  expect(calls().at(-1)).toMatch(
    /^noninteractive install --yes --no-install-recommends .*cmake libgloo-dev$/,
  );
  expect(lines.join("")).toContain("Installing the system package libgloo-dev: headers.");
  expect(readFileSync(log, "utf8")).toContain("libgloo-dev");
});

test("set-up goes on without an optional package, and says so", async () => {
  const { calls, options, lines } = fakeApt("libgloo-dev");
  await installPackages([CMAKE], [GLOO], options);
  expect(calls().at(-1)).toMatch(/cmake$/);
  expect(lines.join("")).toMatch(/Going on without libgloo-dev\. .*E: Unable to locate package/s);
});

test("a required package that cannot be installed is an error with apt's words and the commands", async () => {
  const { calls, options } = fakeApt("cmake");
  const error = await installPackages([CMAKE], [GLOO], options).catch((reason) => reason);
  expect(error).toBeInstanceOf(SetupError);
  expect(error.message).toMatch(/cannot install cmake \(.*apt\.log\):\nE: Unable to locate package/);
  expect(error.commands[0]).toContain("apt-get install -y --no-install-recommends cmake");
  expect(calls().some((call) => call.includes("update"))).toBe(true);
});

test("after lists were refreshed it is tried again, but not where no server answered", async () => {
  const installs = async (/** @type {string} */ updating) => {
    const folder = fakePrograms({
      "apt-get": `echo "$*" >> "$(dirname "$0")/calls"
        case "$1" in update) echo "${updating}";; *) echo "E: Failed to fetch"; exit 100;; esac`,
      sudo: 'shift; [ "$1" = true ] || exec env "$@"',
    });
    const log = join(temporaryFolder(), "apt.log");
    await expect(installPackages([CMAKE], [], { report: keptReport().report, log })).rejects.toThrow(
      SetupError,
    );
    const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    return calls.filter((call) => call.startsWith("install")).length;
  };
  // Where there are no lists, as in images, they are fetched before, and nothing is tried twice.
  const hasLists =
    existsSync("/var/lib/apt/lists") &&
    readdirSync("/var/lib/apt/lists").some((name) => name.includes("_Packages"));
  expect(await installs("Hit:1 http://deb.example stable InRelease")).toBe(hasLists ? 2 : 1);
  expect(await installs("Err:1 http://deb.example stable InRelease")).toBe(1);
});

test("without apt-get nothing is tried; the missing tools are known", async () => {
  const folder = temporaryFolder();
  const before = process.env.PATH;
  process.env.PATH = folder;
  try {
    const { report } = keptReport();
    const log = join(folder, "apt.log");
    await expect(installPackages([CMAKE], [], { report, log })).rejects.toThrow(
      /There is no apt-get to install cmake/,
    );
    expect(missingBuildTools({}).map(({ name }) => name)).toEqual(["cmake", "g++", "make"]);
    expect(missingBuildTools({ CXX: "/opt/cc", CMAKE_GENERATOR: "Ninja" }).map(({ name }) => name)).toEqual([
      "cmake",
    ]);
  } finally {
    process.env.PATH = before;
  }
});
