import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { unpackTables } from "./unpack-tables.js";

// What a table holds, by the names of its recordings.
const tables = vi.hoisted(() => ({ names: [] as (string | undefined)[] }));
vi.mock("./read-parquet.js", () => ({
  readParquet: async function* () {
    for (const [at, path] of tables.names.entries()) {
      const audio = { bytes: Buffer.from(`RIFF${at}`), path };
      yield { row: { audio, text: `text ${at}` }, at };
    }
  },
}));

let root = "";
let to = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "unpack-names-"));
  to = join(root, "below/out");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "");
  return file;
}

it("each recording keeps its own file, whatever names the table gives", async () => {
  tables.names = ["1.wav", undefined, "metadata.jsonl", "../../up.wav", ".hidden.wav", "a\0b.wav", "1.WAV"];
  tables.names.push(`${"n".repeat(300)}.wav`, "/etc/up.wav", "notes.txt");
  await unpackTables(put("train.parquet"), { to });
  const directory = join(to, "train");
  const rows = readFileSync(join(directory, "metadata.jsonl"), "utf8").trim().split("\n");
  const files = rows.map((row) => (JSON.parse(row) as { audio: string }).audio);
  expect(files).toEqual([
    "1.wav",
    "2.wav",
    "3.wav",
    "up.wav",
    "4.wav",
    "5.wav",
    "6.wav",
    "7.wav",
    "8.wav",
    "9.wav",
  ]);
  for (const [at, file] of files.entries())
    expect(readFileSync(join(directory, file), "utf8")).toBe(`RIFF${at}`);
  expect(readdirSync(directory).length).toBe(files.length + 1);
});

it("splits lie within the directory that is given, wherever their tables are", async () => {
  tables.names = ["a.wav"];
  const file = put("0000.parquet");
  expect(await unpackTables(relative(process.cwd(), file), { to })).toMatchObject([
    { path: join(to, root.slice(root.lastIndexOf("/") + 1)) },
  ]);
  const odd = await unpackTables(put("odd/...parquet"), { to });
  expect(odd).toMatchObject([{ name: "odd", path: join(to, "odd") }]);
});

it("splits of one name in several directories stay apart", async () => {
  tables.names = ["a.wav"];
  for (const path of ["en/train-00000-of-00002", "en/train-00001-of-00002", "fr/train", "fr/test"])
    put(`lists/${path}.parquet`);
  put("more/en/train/0000.parquet");
  put("more/fr/train/0000.parquet");
  expect((await unpackTables(join(root, "lists"), { to })).map(({ name, clips }) => [name, clips])).toEqual([
    ["en/train", 2],
    ["fr/test", 1],
    ["fr/train", 1],
  ]);
  const more = await unpackTables(join(root, "more"), { to: join(root, "other") });
  expect(more.map(({ path }) => path)).toEqual([join(root, "other/en/train"), join(root, "other/fr/train")]);
});
