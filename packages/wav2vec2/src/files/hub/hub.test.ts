import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { configuration, expectWeights, ID, model, useHub, weights } from "../../../test/model/hub-fixture.js";
import { HubServer } from "../../../test/model/hub-server.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { type DownloadProgress, resolveModel } from "./hub.js";

const at = useHub();

describe("a name", () => {
  it("is a directory where there is one, whatever the Hub has", async () => {
    const directory = join(at.home, "mine");
    await mkdir(directory);
    expect(await resolveModel(directory)).toBe(directory);
    expect(at.hub.requests).toEqual([]);
    await expect(resolveModel(directory, { revision: "v1" })).rejects.toThrow(
      /revision must be left out for a directory/,
    );
  });

  it("is refused where it can be neither", async () => {
    const file = join(at.home, "model.safetensors");
    await writeFile(file, "");
    await expect(resolveModel(file)).rejects.toThrow(/is a file. Name its directory/);
    await expect(resolveModel("")).rejects.toThrow(
      "The model must be a directory or a Hub id, but is empty.",
    );
    for (const name of [
      "./runs/best",
      "/nowhere/at/all",
      "~/models",
      "a/b/c",
      "C:\\models",
      "runs/",
      ".hidden",
    ]) {
      await expect(resolveModel(name)).rejects.toThrow(/there is no directory .*, and an id looks like/);
    }
    expect(at.hub.requests).toEqual([]);
  });

  it.each(["", "-x", "a..b", "../x", "x/", "/x", "a b", "a:b", "a\nb", ".x", "x/.git"])(
    "has no revision %j",
    async (revision) => {
      await expect(at.resolve({ revision })).rejects.toThrow(ConfigurationError);
      expect(at.hub.requests).toEqual([]);
    },
  );
});

describe("a Hub model", () => {
  it("is downloaded into the layout of huggingface_hub", async () => {
    const commit = at.hub.commit(ID, model);
    const directory = await at.resolve();
    expect(directory).toBe(join(at.folder, "snapshots", commit));
    await expectWeights(directory);
    expect(await readFile(join(at.folder, "refs/main"), "utf8")).toBe(commit);
    const hash = createHash("sha256").update(weights).digest("hex");
    expect(await readlink(join(directory, "model.safetensors"))).toBe(`../../blobs/${hash}`);
    const small = Buffer.from(model["config.json"] as string);
    const git = createHash("sha1").update(`blob ${small.length}\0`).update(small).digest("hex");
    expect(await readlink(join(directory, "config.json"))).toBe(`../../blobs/${git}`);
    expect(await readdir(join(at.folder, "blobs"))).toHaveLength(4);
    expect(at.notes).toEqual([]);
  });

  it("is asked for its revision, but not for its files, the second time", async () => {
    at.hub.commit(ID, model);
    const first = await at.resolve();
    at.hub.requests.length = 0;
    expect(await at.resolve()).toBe(first);
    expect(at.hub.bodies).toEqual([]);
    expect(at.hub.requests.length).toBeGreaterThan(0);
  });

  it("comes without the files that nothing reads", async () => {
    at.hub.commit(ID, {
      ...model,
      "README.md": "#",
      ".gitattributes": "",
      "pytorch_model.bin": weights,
      "tf_model.h5": weights,
      "flax_model.msgpack": weights,
      "adapter.deu.safetensors": weights,
      "tokenizer.json": "{}",
      "onnx/model.onnx": weights,
      "language_model/5gram.bin": weights,
    });
    const directory = await at.resolve();
    expect((await readdir(directory)).sort()).toEqual([...Object.keys(model), "tokenizer.json"].sort());
    expect(new Set(at.hub.bodies)).toEqual(new Set([...Object.keys(model), "tokenizer.json"]));
  });

  it("brings an adapter that is asked for", async () => {
    at.hub.commit(ID, { ...model, "adapter.deu.safetensors": randomBytes(2000) });
    expect(await readdir(await at.resolve())).not.toContain("adapter.deu.safetensors");
    expect(await readdir(await at.resolve({ adapter: "deu" }))).toContain("adapter.deu.safetensors");
    expect((await at.refused({ adapter: "fra" })).message).toMatch(
      /must have adapter\.fra\.safetensors, but has not\. Its files are .*adapter\.deu/,
    );
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await readdir(await at.resolve({ adapter: "deu" }))).toContain("adapter.deu.safetensors");
    expect((await at.refused({ adapter: "fra" })).message).toContain("does not hold");
  });

  it("may have its weights in shards", async () => {
    const index = (files: string[]) =>
      JSON.stringify({ weight_map: Object.fromEntries(files.map((file, i) => [`tensor${i}`, file])) });
    const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    at.hub.commit(ID, {
      ...configuration,
      "model.safetensors.index.json": index([...shards, shards[0]!]),
      [shards[0]!]: weights,
      [shards[1]!]: randomBytes(5000),
      "model-00003-of-00002.safetensors": weights,
      "pytorch_model.bin": weights,
    });
    const directory = await at.resolve();
    expect(await readdir(directory)).toEqual(
      expect.arrayContaining([...shards, "model.safetensors.index.json"]),
    );
    expect(at.hub.bodies).not.toContain("pytorch_model.bin");
    expect(at.hub.bodies).not.toContain("model-00003-of-00002.safetensors");
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await at.resolve()).toBe(directory);
    await rm(join(directory, shards[1]!));
    expect((await at.refused()).message).toContain("does not hold revision main");
    vi.stubEnv("HF_HUB_OFFLINE", "0");

    at.hub.commit(ID, { ...configuration, "model.safetensors.index.json": index(["gone.safetensors"]) });
    expect((await at.refused()).message).toContain("gone.safetensors is not there");
    at.hub.commit(ID, { ...configuration, "model.safetensors.index.json": index(["../../../x"]) });
    expect((await at.refused()).message).toContain('names "../../../x"');
  });

  it("may have only PyTorch's own format", async () => {
    at.hub.commit(ID, { ...configuration, "pytorch_model.bin": weights });
    expect(await readdir(await at.resolve())).toContain("pytorch_model.bin");
  });

  it("must hold a model", async () => {
    at.hub.commit(ID, { "config.json": "{}", "flax_model.msgpack": "" });
    expect((await at.refused()).message).toBe(
      `revision main of ${ID} must have config.json and model.safetensors or pytorch_model.bin, but has not. ` +
        "Its files are config.json, flax_model.msgpack.",
    );
  });

  it("has revisions: branches, tags, pull requests and commits", async () => {
    const old = at.hub.commit(ID, { ...model, "vocab.json": "{}" }, { ref: "v1.0" });
    const pull = at.hub.commit(ID, model, { ref: "refs/pr/1" });
    const main = at.hub.commit(ID, model);
    expect(await at.resolve({ revision: "v1.0" })).toContain(old);
    expect(await at.resolve()).toContain(main);
    expect(await at.resolve({ revision: "refs/pr/1" })).toContain(pull);
    expect(await readFile(join(at.folder, "refs/refs/pr/1"), "utf8")).toBe(pull);
    // What all revisions share was sent once (the Hub's redirect and the store's body), and is there once.
    expect(at.hub.bodies.filter((name) => name === "model.safetensors")).toHaveLength(2);
    expect(await readdir(join(at.folder, "blobs"))).toHaveLength(5);
    at.hub.requests.length = 0;
    expect(await at.resolve({ revision: old })).toContain(old);
    expect(at.hub.requests.map(({ path }) => path)).not.toContain(`/api/models/${ID}/revision/${old}`);
    expect(at.hub.bodies).toEqual([]);
  });

  it("follows a branch that moves on, and keeps the whole one until the new one is whole", async () => {
    const old = at.hub.commit(ID, model);
    await at.resolve();
    const moved = at.hub.commit(ID, { ...model, "model.safetensors": randomBytes(300_000) });
    at.hub.lie("model.safetensors", randomBytes(300_000));
    await at.refused();
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await at.resolve()).toContain(old);
    vi.stubEnv("HF_HUB_OFFLINE", "");
    at.hub.lie("model.safetensors", at.hub.files(ID)["model.safetensors"] as Uint8Array);
    expect(await at.resolve()).toContain(moved);
  });

  it("tells how far its download is", async () => {
    at.hub.commit(ID, model);
    const seen: DownloadProgress[] = [];
    await at.resolve({ onProgress: (progress) => seen.push(progress) });
    const total = Object.values(model).reduce((sum, { length }) => sum + length, 0);
    expect(seen.at(-1)).toEqual({ id: ID, received: total, total });
    expect(seen.length).toBeGreaterThan(5);
    expect(new Set(seen.map((progress) => progress.total))).toEqual(new Set([total]));
    for (const [i, { received }] of seen.entries())
      expect(received).toBeGreaterThanOrEqual(seen[i - 1]?.received ?? 0);
    seen.length = 0;
    await at.resolve({ onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([]);
  });

  it("mends an index that was damaged in the cache", async () => {
    const shard = "model-00001-of-00001.safetensors";
    const index = "model.safetensors.index.json";
    const map = JSON.stringify({ metadata: {}, weight_map: { x: shard } });
    at.hub.commit(ID, { ...configuration, [index]: map, [shard]: weights });
    const path = join(await at.resolve(), index);
    await writeFile(path, map.slice(0, 5));
    expect(await readFile(join(await at.resolve(), index), "utf8")).toBe(map);
  });

  it("can be given up by one who waits for another's download", async () => {
    at.hub.commit(ID, model);
    at.hub.stall("model.safetensors", 1000);
    const [first, second] = [new AbortController(), new AbortController()];
    const downloading = at.resolve({ signal: first.signal });
    const waiting = at.resolve({ signal: second.signal });
    second.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    first.abort(new Error("too"));
    await expect(downloading).rejects.toThrow("too");
  });

  it("need not have an owner", async () => {
    const commit = at.hub.commit("wav2vec2", model);
    expect(await at.resolve({}, "wav2vec2")).toBe(join(at.home, "hub/models--wav2vec2/snapshots", commit));
  });
});

describe("without an answer", () => {
  it("the cache serves, with a note", async () => {
    at.hub.commit(ID, model);
    const directory = await at.resolve();
    at.hub.trouble = { status: 503, text: "maintenance" };
    expect(await at.resolve()).toBe(directory);
    expect(at.notes).toEqual([
      `${at.hub.url}/api/models/${ID}/revision/main answered 503. Using revision main of ${ID} as it was downloaded before: ${directory}`,
    ]);
    at.hub.trouble = { status: 200, text: "<html>Log in to the hotel's network</html>" };
    expect(await at.resolve()).toBe(directory);
    expect(at.notes.at(-1)).toContain("something else than JSON");
    await at.hub.close();
    expect(await at.resolve()).toBe(directory);
    expect(at.notes.at(-1)).toMatch(/could not be reached: connect ECONNREFUSED/);
    at.hub = await HubServer.start();
  });

  it("in time the cache serves as well, but not where the caller has given up", async () => {
    at.hub.commit(ID, model);
    const directory = await at.resolve();
    at.hub.silent = true;
    vi.stubEnv("HF_HUB_ETAG_TIMEOUT", "1");
    expect(await at.resolve()).toBe(directory);
    expect(at.notes).toEqual([
      expect.stringContaining("could not be reached: no answer in time. Using revision main"),
    ]);
    at.hub.requests.length = 0;
    const stop = new AbortController();
    const stopped = at.refused({ signal: stop.signal });
    await vi.waitFor(() => expect(at.hub.requests).toHaveLength(1));
    stop.abort();
    expect(await stopped).toBe(stop.signal.reason);
  });

  it("and without a cache there is a clear error", async () => {
    at.hub.commit(ID, model);
    at.hub.trouble = { status: 502, text: "bad gateway" };
    expect((await at.refused()).message).toMatch(
      /^facebook\/wav2vec2-tiny must be a model directory or come from the Hub, but there is no directory .*answered 502\. Try again later/,
    );
    expect(at.hub.requests).toHaveLength(3);
    await at.hub.close();
    expect(await at.refused()).toBeInstanceOf(UserError);
    at.hub = await HubServer.start();
  });

  it("a Hub that comes back is heard", async () => {
    at.hub.commit(ID, model);
    at.hub.trouble = { status: 500, text: "" };
    const directory = at.resolve();
    await vi.waitFor(() => expect(at.hub.requests).toHaveLength(1));
    at.hub.trouble = undefined;
    expect(existsSync(join(await directory, "config.json"))).toBe(true);
  });

  it("is what HF_HUB_OFFLINE asks for", async () => {
    at.hub.commit(ID, model);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect((await at.refused()).message).toMatch(
      /must be a model directory or in the cache.*Run this once without HF_HUB_OFFLINE/,
    );
    vi.stubEnv("HF_HUB_OFFLINE", undefined);
    const directory = await at.resolve();
    at.hub.requests.length = 0;
    vi.stubEnv("TRANSFORMERS_OFFLINE", "yes");
    expect(await at.resolve()).toBe(directory);
    expect(await at.resolve({ revision: directory.split("/").at(-1) })).toBe(directory);
    expect((await at.refused({ revision: "v2" })).message).toContain("does not hold revision v2");
    expect(at.hub.requests).toEqual([]);
    await rm(join(directory, "model.safetensors"));
    expect(await at.refused()).toBeInstanceOf(UserError);
  });

  it("a cache that Python filled with a model alone says what it lacks", async () => {
    at.hub.commit(ID, model);
    const directory = await at.resolve();
    await rm(join(directory, "vocab.json"));
    await rm(join(directory, "preprocessor_config.json"));
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect((await at.refused({ tokenizer: true })).message).toMatch(
      /holds revision main of .* without its tokenizer \(vocab\.json or tokenizer\.json\)\. Run this once without HF_HUB_OFFLINE/,
    );
    expect((await at.refused({ adapter: "deu" })).message).toContain("does not hold adapter.deu.safetensors");
    expect(await at.resolve()).toBe(directory);
    expect(at.notes).toEqual([expect.stringContaining("without preprocessor_config.json: clips are")]);
    const known = join(at.folder, ".no_exist", directory.split("/").at(-1)!);
    await mkdir(known, { recursive: true });
    await writeFile(join(known, "preprocessor_config.json"), "");
    expect(await at.resolve()).toBe(directory);
    expect(at.notes).toHaveLength(1);
    vi.stubEnv("HF_HUB_OFFLINE", undefined);
    await expectWeights(await at.resolve({ tokenizer: true }));
    expect(existsSync(join(directory, "vocab.json"))).toBe(true);
  });
});

describe("a cache of another user", () => {
  const NOBODY = 65534;
  const isRoot = process.getuid?.() === 0;
  /** Runs as somebody who may read the cache and not write it. */
  const asOther = async <T>(body: () => Promise<T>): Promise<T> => {
    const chmod = (mode: string) => execFileSync("chmod", ["-R", mode, at.home]);
    chmod("a+rX,a-w");
    if (isRoot) process.seteuid!(NOBODY);
    try {
      return await body();
    } finally {
      if (isRoot) process.seteuid!(0);
      chmod("u+w");
    }
  };

  it("serves a branch as it was, with a note, where the branch has moved on", async () => {
    at.hub.commit(ID, model);
    const directory = await at.resolve();
    expect(await asOther(() => at.resolve())).toBe(directory);
    expect(at.notes).toEqual([]);
    const moved = at.hub.commit(ID, { ...model, "model.safetensors": randomBytes(300_000) });
    expect(await asOther(() => at.resolve())).toBe(directory);
    expect(at.notes).toEqual([
      `${join(at.home, "hub")} may not be written by this user, so revision main of ${ID} is used as it was downloaded before: ` +
        `${directory}. It is at ${moved} now; HF_HUB_CACHE=DIRECTORY names a place for that.`,
    ]);
  });

  it("is named with a way out where there is nothing whole in it", async () => {
    const message =
      /may be written, but .*hub may not be written by this user\. Name another one: HF_HUB_CACHE=/;
    at.hub.commit(ID, model);
    expect((await asOther(() => at.refused())).message).toMatch(message);
    const directory = await at.resolve();
    await rm(realpathSync(join(directory, "model.safetensors")));
    expect((await asOther(() => at.refused())).message).toMatch(message);
  });
});

describe("a refusal", () => {
  it("of an unknown name says what was tried", async () => {
    expect((await at.refused({}, "runs/best")).message).toMatch(
      /^runs\/best must be a model directory or a Hub id, but there is no directory \/.*runs\/best, and http.* shows no such model\. Check the spelling; a private model needs an access token/,
    );
    vi.stubEnv("HF_TOKEN", at.hub.token);
    expect((await at.refused({}, "runs/best")).message).toContain("that your access token may read it");
  });

  it("of an unknown revision names it, also where the cache has others", async () => {
    at.hub.commit(ID, model);
    await at.resolve();
    expect((await at.refused({ revision: "v9" })).message).toMatch(
      /^revision must be a branch, a tag or a commit of facebook\/wav2vec2-tiny, but 'v9' is none/,
    );
  });

  it("of a revision that is gone counts more than a copy of it", async () => {
    at.hub.commit(ID, model, { ref: "v1" });
    await at.resolve({ revision: "v1" });
    at.hub.drop(ID, "v1");
    expect((await at.refused({ revision: "v1" })).message).toContain("'v1' is none");
  });

  it("of a gated model says where to ask", async () => {
    at.hub.commit(ID, model, { gated: true });
    expect((await at.refused()).message).toContain(
      `gated. Accept its conditions at ${at.hub.url}/${ID} and put an access token`,
    );
    vi.stubEnv("HF_TOKEN", at.hub.token);
    expect(existsSync(join(await at.resolve(), "model.safetensors"))).toBe(true);
  });

  it("of a token does not print it", async () => {
    at.hub.commit(ID, model);
    vi.stubEnv("HF_TOKEN", "hf_wrong");
    const wrong = await at.refused();
    expect(wrong.message).toContain("access token must be valid");
    vi.stubEnv("HF_TOKEN", "hf_geheim\u00e4");
    const odd = await at.refused();
    expect(odd.message).toContain("HF_TOKEN must hold one access token");
    for (const error of [wrong, odd]) {
      expect(`${error.message} ${(error.cause as Error | undefined)?.message}`).not.toMatch(
        /hf_wrong|geheim/,
      );
    }
  });
});
