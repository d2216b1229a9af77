import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { writeFileAtomic } from "./atomic-file.js";

it("writeFileAtomic replaces a file whole and leaves nothing beside it", async () => {
  const directory = await temporaryDirectory("atomic");
  const path = join(directory, "x.json");
  await writeFile(path, "a longer content than the new one");
  await writeFileAtomic(path, "new");
  expect(await readFile(path, "utf8")).toBe("new");
  expect(await readdir(directory)).toEqual(["x.json"]);
});

it("writeFileAtomic leaves nothing behind where it fails", async () => {
  const directory = await temporaryDirectory("atomic");
  const path = join(directory, "taken");
  await mkdir(path); // a directory cannot be replaced by a file
  await expect(writeFileAtomic(path, "new")).rejects.toThrow(
    `${path} must be a file that can be written, but it is a directory.`,
  );
  await expect(writeFileAtomic(join(directory, "none/x"), "new")).rejects.toThrow(
    /its directory does not exist/,
  );
  expect(await readdir(directory)).toEqual(["taken"]);
});
