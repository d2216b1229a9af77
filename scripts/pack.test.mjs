import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { packPackages } from "./pack.mjs";
import { writePackage } from "./prebuild/package.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** @param {string} tarball */
function manifestOf(tarball) {
  return JSON.parse(execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" }));
}

test("bridges of two processors: for npm each says where it fits, as tarballs they install together", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pack-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const addon = join(folder, "bridge.node");
  writeFileSync(addon, "bridge");
  const bridges = /** @type {const} */ (["x64", "arm64"]).map((arch) => {
    const bridge = join(folder, `linux-${arch}`);
    writePackage(bridge, arch, addon, { libtorch: "2.15.0", glibc: "2.34", sources: "digest" });
    return bridge;
  });
  const packed = (/** @type {boolean} */ forNpm) =>
    new Map(
      packPackages(join(folder, `packed-${forNpm}`), { bridges, forNpm }).map((tarball) => [
        basename(tarball).replace(/-\d.*/, ""),
        manifestOf(tarball),
      ]),
    );
  const [together, published] = [packed(false), packed(true)];
  const arm = "wav2vec2-libtorch-linux-arm64";
  expect(published.get(arm)).toMatchObject({ os: ["linux"], cpu: ["arm64"], libc: ["glibc"] });
  expect(Object.keys(together.get(arm)).filter((key) => ["os", "cpu", "libc"].includes(key))).toEqual([]);
  const { version } = together.get("wav2vec2");
  for (const packages of [together, published]) {
    expect(packages.get("wav2vec2-libtorch").optionalDependencies).toEqual({
      "@wav2vec2/libtorch-linux-arm64": version,
      "@wav2vec2/libtorch-linux-x64": version,
    });
  }
});

test("no package of the checkout is for some systems only: npm refuses a workspace that does not fit", () => {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  for (const workspace of workspaces) {
    const manifest = JSON.parse(readFileSync(join(ROOT, workspace, "package.json"), "utf8"));
    expect(Object.keys(manifest).filter((key) => ["os", "cpu", "libc"].includes(key))).toEqual([]);
  }
});
