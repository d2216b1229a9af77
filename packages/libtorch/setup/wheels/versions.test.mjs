import { expect, test } from "vitest";
import {
  compareVersions,
  describePlatform,
  parseVersion,
  parseWheelName,
  runsOn,
  satisfies,
} from "./versions.mjs";

/** @param {string} text */
function version(text) {
  return /** @type {import("./versions.mjs").Version} */ (parseVersion(text));
}

test("versions sort by number, post-release and local part", () => {
  const sorted = ["1.13.1", "2.9.1", "2.10", "2.10.0.post1", "2.10.1", "2.15.0", "2.15.0+cpu"];
  const shuffled = [3, 6, 0, 5, 2, 4, 1].map((index) => version(sorted[index] ?? ""));
  expect(shuffled.sort(compareVersions)).toEqual(sorted.map(version));
});

test("pre-releases and development builds are not stable, and other text is no version", () => {
  for (const text of ["2.16.0rc1", "2.16.0.dev20261101", "2.16.0a0+git1234", "2.16.0-beta.2"]) {
    expect(version(text).stable, text).toBe(false);
  }
  for (const text of ["2.15.0", "2.15.0+cu132", "1!2.0", "latest", ""]) {
    expect(parseVersion(text)?.stable, text).toBe(/^\d+\./.test(text) ? true : undefined);
  }
});

test("specifiers", () => {
  const cases = /** @type {[string, string, boolean][]} */ ([
    ["==13.2.86.*", "13.2.86", true],
    ["==13.2.86.*", "13.2.86.1", true],
    ["==13.2.86.*", "13.2.8", false],
    ["==13.2.2", "13.2.2", true],
    ["==13.2.2", "13.2.2.0", true],
    ["==13.2.2", "13.2.20", false],
    [">=13.0.3,<14", "13.9", true],
    [">=13.0.3,<14", "14.0", false],
    ["~=3.9.0", "3.9.7", true],
    ["~=3.9.0", "3.10.0", false],
    ["!=1.0", "1.0.0", false],
    ["", "7", true],
  ]);
  for (const [specifier, text, expected] of cases) {
    expect(satisfies(specifier, version(text)), `${text} ${specifier}`).toBe(expected);
  }
});

test("a wheel's name tells version and platforms", () => {
  expect(
    parseWheelName("nvidia_cuda_runtime-13.2.86-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"),
  ).toMatchObject({
    name: "nvidia-cuda-runtime",
    versionText: "13.2.86",
    platforms: ["manylinux2014_x86_64", "manylinux_2_17_x86_64"],
  });
  expect(parseWheelName("torch-2.15.0+cpu-1-cp311-cp311-win_amd64.whl")?.versionText).toBe("2.15.0+cpu");
  for (const other of ["torch-2.15.0.tar.gz", "torch.whl", "torch-new-cp311-cp311-any.whl"]) {
    expect(parseWheelName(other)).toBeUndefined();
  }
});

test("platform tags", () => {
  const bookworm = describePlatform({ platform: "linux", arch: "x64", osRelease: "6.1.0", glibc: "2.36" });
  const buster = describePlatform({ platform: "linux", arch: "arm64", osRelease: "4.19", glibc: "2.28" });
  const sequoia = describePlatform({
    platform: "darwin",
    arch: "arm64",
    osRelease: "24.1.0",
    glibc: undefined,
  });
  const tahoe = describePlatform({
    platform: "darwin",
    arch: "arm64",
    osRelease: "25.0.0",
    glibc: undefined,
  });
  const cases = /** @type {[string, typeof bookworm, boolean][]} */ ([
    ["manylinux_2_28_x86_64", bookworm, true],
    ["manylinux_2_28_aarch64", bookworm, false],
    ["manylinux_2_38_x86_64", bookworm, false],
    ["manylinux2014_x86_64", bookworm, true],
    ["macosx_14_0_arm64", bookworm, false],
    ["win_amd64", bookworm, false],
    ["any", bookworm, true],
    ["manylinux_2_28_aarch64", buster, true],
    ["manylinux_2_31_aarch64", buster, false],
    ["macosx_14_0_arm64", sequoia, true],
    ["macosx_26_0_arm64", sequoia, false],
    ["macosx_26_0_arm64", tahoe, true],
    ["macosx_14_0_x86_64", sequoia, false],
  ]);
  for (const [tag, platform, expected] of cases) {
    expect(runsOn(tag, /** @type {import("./versions.mjs").Platform} */ (platform)), tag).toBe(expected);
  }
});

test("there is no platform for musl and for other systems", () => {
  expect(
    describePlatform({ platform: "linux", arch: "x64", osRelease: "6", glibc: undefined }),
  ).toBeUndefined();
  expect(
    describePlatform({ platform: "linux", arch: "riscv64", osRelease: "6", glibc: "2.36" }),
  ).toBeUndefined();
  expect(
    describePlatform({ platform: "win32", arch: "x64", osRelease: "10", glibc: undefined }),
  ).toBeUndefined();
});
