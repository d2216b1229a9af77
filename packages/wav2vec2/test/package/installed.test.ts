import { execFile, spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bridgePath } from "@wav2vec2/libtorch/places";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { packPackages } from "../../../../scripts/pack.mjs";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { DEFAULT_CONFIG } from "../../src/model/configuration.js";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { TINY_MODEL, toneClip } from "../fixtures/tone-corpus.js";
import { HubServer } from "../model/hub-server.js";

// The tarballs of `npm run pack`, installed into an empty project by npm, far from the checkout.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);
const libtorch = JSON.parse(readFileSync(join(dirname(bridgePath()), "libtorch.json"), "utf8")) as {
  lib: string;
  version: string;
  source: string;
  cuda?: object;
};
const canRun =
  libtorch.source === "set-up" &&
  libtorch.cuda === undefined &&
  process.platform === "linux" &&
  process.arch === "x64";

let directory: string;
/** The trial with another version of Node.js. */
const NODE = process.env.INSTALLED_NODE ?? process.execPath;
/** @param home where the project's user keeps caches */
const command = (home: string, args: string[], env?: NodeJS.ProcessEnv) =>
  [
    NODE,
    [join(directory, "project/node_modules/.bin/wav2vec2"), ...args],
    {
      cwd: join(directory, "project"),
      env: { PATH: process.env.PATH, HOME: directory, XDG_CACHE_HOME: join(directory, home), ...env },
    },
  ] as const;
const npx = (home: string, ...args: string[]) => run(...command(home, args));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "installed-"));
  if (!canRun) return;
  // The checkout's own bridge finds libtorch by the link beside it, as a compiled one of a package does.
  const compiled = join(directory, "libtorch-linux-x64");
  const { digestOfSources } = await import("../../../libtorch/setup/bridge.mjs");
  const { writePackage } = await import("../../../../scripts/prebuild/package.mjs");
  const sources = digestOfSources(join(ROOT, "packages/libtorch/native"));
  const version = libtorch.version.replace(/\+.*/, "");
  writePackage(compiled, "x64", bridgePath(), { libtorch: version, glibc: "2.17", sources });
  const tarballs = packPackages(directory, { bridges: [compiled] });

  const project = join(directory, "project");
  mkdirSync(project);
  await writeFile(
    join(project, "package.json"),
    JSON.stringify({ name: "app", private: true, type: "module" }),
  );
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], { cwd: project });

  await writeFile(join(project, "clip.flac"), encodeFlac(toneClip("ABC", new Random(1, "clip")), 16000));
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["A B C"]));
  const { size, blankId } = tokenizer.vocabulary;
  const config = configWithKeys(
    DEFAULT_CONFIG,
    { ...TINY_MODEL, vocab_size: size, pad_token_id: blankId },
    "the model",
  );
  await saveCtcModel(join(project, "model"), {
    model: new Wav2Vec2ForCTC(config),
    tokenizer,
    normalize: true,
  });
  // What set-up would fetch.
  const home = join(directory, "cache/wav2vec2/libtorch");
  mkdirSync(home, { recursive: true });
  symlinkSync(dirname(libtorch.lib), join(home, basename(dirname(libtorch.lib))));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.skipIf(!canRun)(
  "installed from tarballs (with torch's wheel for the CPU, on Linux with x86-64)",
  () => {
    it("no package has an install script, and none is of the checkout", () => {
      const lock = JSON.parse(readFileSync(join(directory, "project/package-lock.json"), "utf8")) as {
        packages: Record<string, { hasInstallScript?: boolean; link?: boolean }>;
      };
      const entries = Object.entries(lock.packages);
      expect(entries.length).toBeGreaterThan(10);
      expect(entries.filter(([, { hasInstallScript, link }]) => hasInstallScript || link)).toEqual([]);
    });

    it("before set-up, what computes says what to do, and help and doctor work", async () => {
      expect((await npx("empty", "--help")).stdout).toContain("transcribe");
      const failed = await npx("empty", "transcribe", "model", "clip.flac").catch(
        (error: { stderr: string }) => error,
      );
      expect(failed.stderr).toMatch(/The bridge to libtorch must be built, .* Run 'npx wav2vec2 setup'\./);
      const doctor = await npx("empty", "doctor", "--json").catch((error: { stdout: string }) => error);
      expect(JSON.parse(doctor.stdout).checks).toContainEqual({
        name: "libtorch",
        state: "failed",
        found: "set-up has not chosen one",
        remedy: "npx wav2vec2 setup",
      });
    });

    it("set-up takes the compiled bridge, writes into the cache alone, and the project recognises speech", async () => {
      const project = join(directory, "project");
      const before = readdirSync(project, { recursive: true, encoding: "utf8" }).sort();
      chmodSync(project, 0o555);
      const { stderr } = await npx("cache", "setup");
      chmodSync(project, 0o755);
      expect(stderr).toContain("not needed, the bridge comes compiled");
      expect(stderr).toContain("Comparing operators and their gradients with float64");
      expect(readdirSync(project, { recursive: true, encoding: "utf8" }).sort()).toEqual(before);
      expect((await npx("cache", "setup")).stderr).toContain("checked before");
      const { stdout } = await npx("cache", "transcribe", "model", "clip.flac", "--format", "json");
      expect(JSON.parse(stdout)).toMatchObject([{ file: "clip.flac" }]);

      // A copy of the cache serves elsewhere: its links are relative.
      const copy = join(directory, "copy/wav2vec2");
      cpSync(join(directory, "cache/wav2vec2"), copy, { recursive: true, verbatimSymlinks: true });
      await rm(join(directory, "cache"), { recursive: true });
      const [bridge] = readdirSync(join(copy, "libtorch")).filter((name) => name.startsWith("bridge-"));
      expect(existsSync(join(copy, "libtorch", bridge!, "lib/libtorch_cpu.so"))).toBe(true);
      expect((await npx("copy", "transcribe", "model", "clip.flac", "--format", "json")).stdout).toBe(stdout);
    });

    it("asks the Hub with the client in its bundle", async () => {
      const model = join(directory, "project/model");
      const hub = await HubServer.start();
      onTestFinished(() => hub.close());
      hub.commit(
        "me/tone",
        Object.fromEntries(readdirSync(model).map((name) => [name, readFileSync(join(model, name))])),
      );
      const args = ["transcribe", "me/tone", "clip.flac", "--format", "json"];
      const { stdout } = await run(...command("copy", args, { HF_ENDPOINT: hub.url }));
      expect(stdout).toBe((await npx("copy", "transcribe", "model", "clip.flac", "--format", "json")).stdout);
    });

    it("serves and counts with the packages in its bundle", async () => {
      const server = spawn(...command("copy", ["serve", "model", "--port", "0"]));
      onTestFinished(() => void server.kill("SIGKILL"));
      let said = "";
      for await (const chunk of server.stdout!.setEncoding("utf8")) {
        said += chunk;
        if (/http:\/\/[^"\s]+/.test(said)) break;
      }
      const [url] = /http:\/\/[^"\s]+/.exec(said)!;
      const form = new FormData();
      form.append("file", new File([readFileSync(join(directory, "project/clip.flac"))], "clip.flac"));
      const answer = await fetch(new URL("/v1/audio/transcriptions", url), { method: "POST", body: form });
      expect(answer.status).toBe(200);
      const wrong = await fetch(new URL("/v1/audio/transcriptions", url), {
        method: "POST",
        body: new FormData(),
      });
      expect(wrong.status).toBe(400);
      expect(await (await fetch(new URL("/metrics", url))).text()).toMatch(/process_cpu_seconds_total \d/);
    });
  },
);
