import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { PatientFile } from "./patient-file.js";

it("writes what a full disk did not take once there is room, each byte once", async ({ skip }) => {
  const disk = join(await temporaryDirectory("patient"), "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    skip("mounting a small disk needs root on Linux");
  }
  try {
    const path = join(disk, "lines");
    const file = new PatientFile(path);
    file.append("first\n");
    expect(() => writeFileSync(join(disk, "filler"), Buffer.alloc(1e6))).toThrow("ENOSPC");
    const long = `${"x".repeat(10_000)}\n`; // some of it still fits
    for (let i = 0; i < 3; i++) file.append(long);
    expect(readFileSync(path, "utf8").length).toBeLessThan(10_000);
    expect(() => file.close()).toThrow(`The last lines of ${path} must be written, but the disk is full.`);
    rmSync(join(disk, "filler"));
    file.append("last\n");
    expect(readFileSync(path, "utf8")).toBe(`first\n${long.repeat(3)}last\n`);
    file.close();
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
});

it("throws where a file cannot be written for another reason", async () => {
  const directory = await temporaryDirectory("patient");
  expect(() => new PatientFile(join(directory, "none/x")).append("x")).toThrow("ENOENT");
});
