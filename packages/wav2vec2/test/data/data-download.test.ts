import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { corpusParts } from "../../src/data/download/parts.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";
import { madeUpPart } from "./archive-fixture.js";
import { ArchiveServer } from "./archive-server.js";

const smallest = corpusParts.find(({ name }) => name === "dev-clean-2")!;

let server: ArchiveServer;
let to: string;
beforeEach(async () => {
  server = await ArchiveServer.start();
  to = await temporaryDirectory("data-download");
});
afterEach(() => server.close());

/** An archive of as many bytes as the real one has, and with its paths, but not the real one. */
function impostor(): Buffer {
  const { archive } = madeUpPart("dev-clean-2");
  return Buffer.concat([archive, Buffer.alloc(smallest.bytes - archive.length)]);
}

async function partial(): Promise<number> {
  const name = (await readdir(to)).find((each) => each.endsWith(".incomplete"));
  return name === undefined ? 0 : (await stat(join(to, name))).size;
}

describe("wav2vec2 data download", () => {
  const output = new CapturedOutput();
  beforeEach(() => {
    output.start();
  });
  afterEach(() => vi.restoreAllMocks());

  const run = (...args: string[]) => main(["data", "download", ...args, "--to", to, "--mirror", server.url]);

  it("names both sums where a server sends something else", async () => {
    server.put(smallest.archive, impostor());
    expect(await run("dev-clean-2")).toBe(1);
    expect(output.stderr).toContain("Downloading dev-clean-2: ");
    expect(output.stderr).toMatch(
      new RegExp(
        `31/dev-clean-2\\.tar\\.gz must have MD5 ${smallest.md5}, but has [0-9a-f]{32}\\. Nothing of it is kept`,
      ),
    );
    expect(output.stdout).toBe("");
    expect(await readdir(to)).toEqual(["LibriSpeech"]);
    expect(await readdir(join(to, "LibriSpeech"))).toEqual([]);
  });

  it("skips what is there, and says so", async () => {
    await mkdir(join(to, "LibriSpeech/dev-clean/84"), { recursive: true });
    expect(await run("dev-clean", "--json")).toBe(0);
    const path = join(to, "LibriSpeech/dev-clean");
    expect(JSON.parse(output.stdout)).toEqual([{ name: "dev-clean", path, bytes: 0, seconds: 0 }]);
    expect(output.stderr).toBe(`dev-clean is there already: ${path}\n`);
    expect(server.requests).toEqual([]);
  });

  it("asks a mirror with a slash at its end for the right file", async () => {
    expect(await main(["data", "download", "test-other", "--to", to, "--mirror", `${server.url}/`])).toBe(1);
    expect(server.requests.map(({ path }) => path)).toEqual(["12/test-other.tar.gz"]);
    expect(output.stderr).toContain("the server answered 404");
  });

  it.each([
    [["dev-claen"], "but is 'dev-claen'. Did you mean dev-clean?"],
    [
      ["dev-clean", "--mirror", "ftp://x"],
      "It must be an address such as https://www.openslr.org/resources.",
    ],
    [["dev-clean", "--mirorr", "x"], "Did you mean --mirror?"],
  ])("refuses %s with 2", async (args, message) => {
    expect(await main(["data", "download", "--to", to, ...args])).toBe(2);
    expect(output.stderr).toContain(message);
  });

  it("lists the parts in its help", async () => {
    expect(await main(["data", "download", "--help"])).toBe(0);
    expect(output.stdout).toMatch(/train-other-500 +496\.7 h +148,688 utterances +30\.6 GB/);
    output.stdout = "";
    expect(await main(["data", "--help"])).toBe(0);
    expect(output.stdout).toContain("download");
  });
});

// Real processes, really interrupted and really killed; they run the compiled program.
describe("a process", () => {
  const program = fileURLToPath(new URL("../../bin/wav2vec2.js", import.meta.url));
  const download = new URL("../../dist/data/download/download.js", import.meta.url).href;
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  /** @returns its exit code once it has ended */
  function start(args: string[]): {
    child: ChildProcess;
    ended: Promise<number | null>;
    stderr: () => string;
  } {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
    children.push(child);
    let text = "";
    child.stderr!.on("data", (part) => (text += part));
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    return { child, ended, stderr: () => text };
  }

  it("that is interrupted exits with 130 and the next one goes on", async () => {
    server.put(smallest.archive, impostor());
    server.befall(smallest.archive, { stall: 500_000 }, { stall: 1000 });
    const args = [program, "data", "download", smallest.name, "--to", to, "--mirror", server.url];
    const first = start(args);
    await vi.waitFor(async () => expect(await partial()).toBe(500_000), { timeout: 20_000 });
    first.child.kill("SIGINT");
    expect(await first.ended).toBe(130);
    expect(first.stderr()).toContain(
      "Interrupted. What has come stays; the same command goes on from there.",
    );
    expect(await readdir(join(to, "LibriSpeech"))).toEqual([]);
    expect((await readdir(to)).filter((name) => name.endsWith(".unpacking"))).toEqual([]);

    const second = start(args);
    await vi.waitFor(() => expect(server.askedRanges).toEqual(["bytes=0-", "bytes=500000-"]), {
      timeout: 20_000,
    });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(143);
  });

  it("that is killed leaves nothing in place, and the next one goes on to the end", async () => {
    const { part, archive, files } = madeUpPart();
    server.put(part.archive, archive);
    server.befall(part.archive, { stall: 200_000 });
    const script = join(to, "download.mjs");
    const options = { to, mirror: server.url };
    await writeFile(
      script,
      `import { downloadParts } from ${JSON.stringify(download)};
       await downloadParts([${JSON.stringify(part)}], ${JSON.stringify(options)});`,
    );
    const first = start([script]);
    const unpacking = async () => (await readdir(to)).some((name) => name.endsWith(".unpacking"));
    await vi.waitFor(async () => expect([await partial(), await unpacking()]).toEqual([200_000, true]), {
      timeout: 20_000,
    });
    first.child.kill("SIGKILL");
    await first.ended;
    expect(existsSync(join(to, "LibriSpeech", part.name))).toBe(false);

    expect(await start([script]).ended).toBe(0);
    expect(server.askedRanges).toEqual(["bytes=0-", "bytes=200000-"]);
    for (const [name, contents] of files)
      expect((await stat(join(to, name))).size, name).toBe(contents.length);
    expect((await readdir(to)).sort()).toEqual(["LibriSpeech", "download.mjs"]);
  });
});
