import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Files, HubServer } from "../../test/hub-server.js";
import { ConfigurationError, UserError } from "../errors.js";
import { type DownloadProgress, isHubId, type ResolveOptions, resolveModel } from "./hub.js";
import { hubEnvironment } from "./hub-environment.js";
import { HubClient } from "./hub-request.js";

const ID = "facebook/wav2vec2-tiny";
const weights = randomBytes(300_000);
const configuration: Files = {
  "config.json": '{"model_type": "wav2vec2"}',
  "preprocessor_config.json": '{"do_normalize": true}',
  "vocab.json": '{"<pad>": 0}',
};
const model: Files = { ...configuration, "model.safetensors": weights };

let hub: HubServer;
let cache: string;
let notes: string[];
beforeEach(async () => {
  hub = await HubServer.start();
  cache = await mkdtemp(join(tmpdir(), "hub-"));
  notes = [];
  for (const name of Object.keys(process.env).filter((key) => /^(HF_|HUGGING|TRANSFORMERS_)/.test(key))) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("HF_HOME", cache);
  vi.stubEnv("HF_ENDPOINT", hub.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  await rm(cache, { recursive: true });
});

const resolve = (options: ResolveOptions = {}, id = ID): Promise<string> =>
  resolveModel(id, { onNote: (text) => notes.push(text), ...options });
const folder = (id = ID): string => join(cache, "hub", `models--${id.replace("/", "--")}`);
const expectWeights = async (directory: string): Promise<void> => {
  const found = await readFile(join(directory, "model.safetensors"));
  expect(found.equals(weights)).toBe(true); // toEqual takes seconds for as many bytes
};
const refused = (options: ResolveOptions = {}, id = ID): Promise<Error> =>
  resolve(options, id).then(
    (directory) => expect.fail(`${directory} came back`),
    (error: Error) => error,
  );

describe("a name", () => {
  it("is a directory where there is one, whatever the Hub has", async () => {
    const directory = join(cache, "mine");
    await mkdir(directory);
    expect(await resolveModel(directory)).toBe(directory);
    expect(hub.requests).toEqual([]);
    await expect(resolveModel(directory, { revision: "v1" })).rejects.toThrow(
      /revision must be left out for a directory/,
    );
  });

  it("is refused where it can be neither", async () => {
    const file = join(cache, "model.safetensors");
    await writeFile(file, "");
    await expect(resolveModel(file)).rejects.toThrow(/is a file. Name its directory/);
    for (const name of [
      "./runs/best",
      "/nowhere/at/all",
      "~/models",
      "a/b/c",
      "C:\\models",
      "",
      "runs/",
      ".hidden",
    ]) {
      await expect(resolveModel(name)).rejects.toThrow(/there is no directory .*, and an id looks like/);
    }
    expect(hub.requests).toEqual([]);
  });

  it.each(["", "-x", "a..b", "../x", "x/", "/x", "a b", "a:b", "a\nb", ".x", "x/.git"])(
    "has no revision %j",
    async (revision) => {
      await expect(resolve({ revision })).rejects.toThrow(ConfigurationError);
      expect(hub.requests).toEqual([]);
    },
  );

  it.each([
    ["facebook/wav2vec2-base-960h", true],
    ["gpt2", true],
    ["a/b.c_d-e", true],
    ["foo--bar", false],
    ["a/b.git", false],
    ["a..b", false],
    ["datasets/a/b", false],
    ["a/", false],
    ["-a/b", false],
    ["a/b.", false],
  ])("%s is an id: %s", (name, expected) => {
    expect(isHubId(name)).toBe(expected);
  });
});

describe("a Hub model", () => {
  it("is downloaded into the layout of huggingface_hub", async () => {
    const commit = hub.commit(ID, model);
    const directory = await resolve();
    expect(directory).toBe(join(folder(), "snapshots", commit));
    await expectWeights(directory);
    expect(await readFile(join(folder(), "refs/main"), "utf8")).toBe(commit);
    const hash = createHash("sha256").update(weights).digest("hex");
    expect(await readlink(join(directory, "model.safetensors"))).toBe(`../../blobs/${hash}`);
    const small = Buffer.from(model["config.json"] as string);
    const git = createHash("sha1").update(`blob ${small.length}\0`).update(small).digest("hex");
    expect(await readlink(join(directory, "config.json"))).toBe(`../../blobs/${git}`);
    expect(await readdir(join(folder(), "blobs"))).toHaveLength(4);
    expect(notes).toEqual([]);
  });

  it("is asked for its revision, but not for its files, the second time", async () => {
    hub.commit(ID, model);
    const first = await resolve();
    hub.requests.length = 0;
    expect(await resolve()).toBe(first);
    expect(hub.bodies).toEqual([]);
    expect(hub.requests.length).toBeGreaterThan(0);
  });

  it("comes without the files that nothing reads", async () => {
    hub.commit(ID, {
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
    const directory = await resolve();
    expect((await readdir(directory)).sort()).toEqual([...Object.keys(model), "tokenizer.json"].sort());
    expect(new Set(hub.bodies)).toEqual(new Set([...Object.keys(model), "tokenizer.json"]));
  });

  it("brings an adapter that is asked for", async () => {
    hub.commit(ID, { ...model, "adapter.deu.safetensors": randomBytes(2000) });
    expect(await readdir(await resolve())).not.toContain("adapter.deu.safetensors");
    expect(await readdir(await resolve({ adapter: "deu" }))).toContain("adapter.deu.safetensors");
    expect((await refused({ adapter: "fra" })).message).toMatch(
      /must have adapter\.fra\.safetensors, but has not\. Its files are .*adapter\.deu/,
    );
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await readdir(await resolve({ adapter: "deu" }))).toContain("adapter.deu.safetensors");
    expect((await refused({ adapter: "fra" })).message).toContain("does not hold");
  });

  it("may have its weights in shards", async () => {
    const index = (files: string[]) =>
      JSON.stringify({ weight_map: Object.fromEntries(files.map((file, i) => [`tensor${i}`, file])) });
    const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    hub.commit(ID, {
      ...configuration,
      "model.safetensors.index.json": index([...shards, shards[0]!]),
      [shards[0]!]: weights,
      [shards[1]!]: randomBytes(5000),
      "model-00003-of-00002.safetensors": weights,
      "pytorch_model.bin": weights,
    });
    const directory = await resolve();
    expect(await readdir(directory)).toEqual(
      expect.arrayContaining([...shards, "model.safetensors.index.json"]),
    );
    expect(hub.bodies).not.toContain("pytorch_model.bin");
    expect(hub.bodies).not.toContain("model-00003-of-00002.safetensors");
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await resolve()).toBe(directory);
    await rm(join(directory, shards[1]!));
    expect((await refused()).message).toContain("does not hold revision main");
    vi.stubEnv("HF_HUB_OFFLINE", "0");

    hub.commit(ID, { ...configuration, "model.safetensors.index.json": index(["gone.safetensors"]) });
    expect((await refused()).message).toContain("gone.safetensors is not there");
    hub.commit(ID, { ...configuration, "model.safetensors.index.json": index(["../../../x"]) });
    expect((await refused()).message).toContain('names "../../../x"');
  });

  it("may have only PyTorch's own format", async () => {
    hub.commit(ID, { ...configuration, "pytorch_model.bin": weights });
    expect(await readdir(await resolve())).toContain("pytorch_model.bin");
  });

  it("must hold a model", async () => {
    hub.commit(ID, { "config.json": "{}", "flax_model.msgpack": "" });
    expect((await refused()).message).toBe(
      `revision main of ${ID} must have config.json and model.safetensors or pytorch_model.bin, but has not. ` +
        "Its files are config.json, flax_model.msgpack.",
    );
  });

  it("has revisions: branches, tags, pull requests and commits", async () => {
    const old = hub.commit(ID, { ...model, "vocab.json": "{}" }, { ref: "v1.0" });
    const pull = hub.commit(ID, model, { ref: "refs/pr/1" });
    const main = hub.commit(ID, model);
    expect(await resolve({ revision: "v1.0" })).toContain(old);
    expect(await resolve()).toContain(main);
    expect(await resolve({ revision: "refs/pr/1" })).toContain(pull);
    expect(await readFile(join(folder(), "refs/refs/pr/1"), "utf8")).toBe(pull);
    // What all revisions share was sent once (the Hub's redirect and the store's body), and is there once.
    expect(hub.bodies.filter((name) => name === "model.safetensors")).toHaveLength(2);
    expect(await readdir(join(folder(), "blobs"))).toHaveLength(5);
    hub.requests.length = 0;
    expect(await resolve({ revision: old })).toContain(old);
    expect(hub.requests.map(({ path }) => path)).not.toContain(`/api/models/${ID}/revision/${old}`);
    expect(hub.bodies).toEqual([]);
  });

  it("follows a branch that moves on, and keeps the whole one until the new one is whole", async () => {
    const old = hub.commit(ID, model);
    await resolve();
    const moved = hub.commit(ID, { ...model, "model.safetensors": randomBytes(300_000) });
    hub.lie("model.safetensors", randomBytes(300_000));
    await refused();
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await resolve()).toContain(old);
    vi.stubEnv("HF_HUB_OFFLINE", "");
    hub.lie("model.safetensors", hub.files(ID)["model.safetensors"] as Uint8Array);
    expect(await resolve()).toContain(moved);
  });

  it("tells how far its download is", async () => {
    hub.commit(ID, model);
    const seen: DownloadProgress[] = [];
    await resolve({ onProgress: (progress) => seen.push(progress) });
    const total = Object.values(model).reduce((sum, { length }) => sum + length, 0);
    expect(seen.at(-1)).toEqual({ id: ID, received: total, total });
    expect(seen.length).toBeGreaterThan(5);
    for (const [i, { received }] of seen.entries())
      expect(received).toBeGreaterThanOrEqual(seen[i - 1]?.received ?? 0);
    seen.length = 0;
    await resolve({ onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([]);
  });

  it("need not have an owner", async () => {
    const commit = hub.commit("wav2vec2", model);
    expect(await resolve({}, "wav2vec2")).toBe(join(cache, "hub/models--wav2vec2/snapshots", commit));
  });
});

describe("without an answer", () => {
  it("the cache serves, with a note", async () => {
    hub.commit(ID, model);
    const directory = await resolve();
    hub.trouble = { status: 503, text: "maintenance" };
    expect(await resolve()).toBe(directory);
    expect(notes).toEqual([
      `${hub.url}/api/models/${ID}/revision/main answered 503. Using revision main of ${ID} as it was downloaded before: ${directory}`,
    ]);
    hub.trouble = { status: 200, text: "<html>Log in to the hotel's network</html>" };
    expect(await resolve()).toBe(directory);
    expect(notes.at(-1)).toContain("something else than JSON");
    await hub.close();
    expect(await resolve()).toBe(directory);
    expect(notes.at(-1)).toMatch(/could not be reached: connect ECONNREFUSED/);
    hub = await HubServer.start();
  });

  it("in time the cache serves as well, but not where the caller has given up", async () => {
    hub.commit(ID, model);
    const directory = await resolve();
    hub.silent = true;
    vi.stubEnv("HF_HUB_ETAG_TIMEOUT", "1");
    expect(await resolve()).toBe(directory);
    expect(notes).toEqual([
      expect.stringContaining("could not be reached: no answer in time. Using revision main"),
    ]);
    hub.requests.length = 0;
    const stop = new AbortController();
    const stopped = refused({ signal: stop.signal });
    await vi.waitFor(() => expect(hub.requests).toHaveLength(1));
    stop.abort();
    expect(await stopped).toBe(stop.signal.reason);
  });

  it("and without a cache there is a clear error", async () => {
    hub.commit(ID, model);
    hub.trouble = { status: 502, text: "bad gateway" };
    expect((await refused()).message).toMatch(
      /^facebook\/wav2vec2-tiny must be a model directory or come from the Hub, but there is no directory .*answered 502\. Try again later/,
    );
    expect(hub.requests).toHaveLength(3);
    await hub.close();
    expect(await refused()).toBeInstanceOf(UserError);
    hub = await HubServer.start();
  });

  it("a Hub that comes back is heard", async () => {
    hub.commit(ID, model);
    hub.trouble = { status: 500, text: "" };
    const directory = resolve();
    await vi.waitFor(() => expect(hub.requests).toHaveLength(1));
    hub.trouble = undefined;
    expect(existsSync(join(await directory, "config.json"))).toBe(true);
  });

  it("is what HF_HUB_OFFLINE asks for", async () => {
    hub.commit(ID, model);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect((await refused()).message).toMatch(
      /must be a model directory or in the cache.*Run this once without HF_HUB_OFFLINE/,
    );
    vi.stubEnv("HF_HUB_OFFLINE", undefined);
    const directory = await resolve();
    hub.requests.length = 0;
    vi.stubEnv("TRANSFORMERS_OFFLINE", "yes");
    expect(await resolve()).toBe(directory);
    expect(await resolve({ revision: directory.split("/").at(-1) })).toBe(directory);
    expect((await refused({ revision: "v2" })).message).toContain("does not hold revision v2");
    expect(hub.requests).toEqual([]);
    await rm(join(directory, "model.safetensors"));
    expect(await refused()).toBeInstanceOf(UserError);
  });
});

describe("a refusal", () => {
  it("of an unknown name says what was tried", async () => {
    expect((await refused({}, "runs/best")).message).toMatch(
      /^runs\/best must be a model directory or a Hub id, but there is no directory \/.*runs\/best, and http.* shows no such model\. Check the spelling; a private model needs an access token/,
    );
    vi.stubEnv("HF_TOKEN", hub.token);
    expect((await refused({}, "runs/best")).message).toContain("that your access token may read it");
  });

  it("of an unknown revision names it, also where the cache has others", async () => {
    hub.commit(ID, model);
    await resolve();
    expect((await refused({ revision: "v9" })).message).toMatch(
      /^revision must be a branch, a tag or a commit of facebook\/wav2vec2-tiny, but 'v9' is none/,
    );
  });

  it("of a revision that is gone counts more than a copy of it", async () => {
    hub.commit(ID, model, { ref: "v1" });
    await resolve({ revision: "v1" });
    hub.drop(ID, "v1");
    expect((await refused({ revision: "v1" })).message).toContain("'v1' is none");
  });

  it("of a gated model says where to ask", async () => {
    hub.commit(ID, model, { gated: true });
    expect((await refused()).message).toContain(
      `gated. Accept its conditions at ${hub.url}/${ID} and put an access token`,
    );
    vi.stubEnv("HF_TOKEN", hub.token);
    expect(existsSync(join(await resolve(), "model.safetensors"))).toBe(true);
  });

  it("of a token does not print it", async () => {
    hub.commit(ID, model);
    vi.stubEnv("HF_TOKEN", "hf_wrong");
    const wrong = await refused();
    expect(wrong.message).toContain("access token must be valid");
    vi.stubEnv("HF_TOKEN", "hf_geheim\u00e4");
    const odd = await refused();
    expect(odd.message).toContain("HF_TOKEN must hold one access token");
    for (const error of [wrong, odd]) {
      expect(`${error.message} ${(error.cause as Error | undefined)?.message}`).not.toMatch(
        /hf_wrong|geheim/,
      );
    }
  });
});

describe("the token", () => {
  it("goes to the Hub, and not to where the Hub redirects", async () => {
    hub.commit(ID, model, { private: true });
    vi.stubEnv("HF_TOKEN", hub.token);
    await resolve();
    const tokens = (host: string) =>
      new Set(
        hub.requests.filter((request) => request.host === host).map(({ authorization }) => authorization),
      );
    expect(tokens("hub")).toEqual(new Set([`Bearer ${hub.token}`]));
    expect(tokens("cdn")).toEqual(new Set([undefined]));
  });

  it("does not go to another host that an answer names", async () => {
    vi.stubEnv("HF_TOKEN", hub.token);
    const client = new HubClient(await hubEnvironment());
    for (const url of [`${hub.url}/a/b/resolve/main/c`, `${hub.storeUrl}/${ID}/page/2`]) {
      await client.request(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    }
    expect(hub.requests.map(({ host, authorization }) => [host, authorization])).toEqual([
      ["hub", `Bearer ${hub.token}`],
      ["cdn", undefined],
    ]);
  });

  it("may stand in the file that huggingface_hub writes, and need not begin with hf_", async () => {
    hub.token = "organisation-token";
    hub.commit(ID, model, { private: true });
    await writeFile(join(cache, "token"), `${hub.token}\n`);
    vi.stubEnv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    await refused();
    vi.stubEnv("HF_HUB_DISABLE_IMPLICIT_TOKEN", undefined);
    expect(existsSync(join(await resolve(), "config.json"))).toBe(true);
  });
});

describe("a download", () => {
  const partials = async (): Promise<string[]> =>
    (await readdir(join(folder(), "blobs"))).filter((name) => name.endsWith(".incomplete"));
  const ranges = (): (string | undefined)[] =>
    hub.requests.filter(({ host }) => host === "cdn").map(({ range }) => range);

  it("that is cut goes on where it broke off", async () => {
    hub.commit(ID, model);
    hub.cut("model.safetensors", 100_000, 0, 50_000);
    hub.cut("config.json", 5);
    const directory = await resolve();
    await expectWeights(directory);
    expect(ranges()).toEqual(["bytes=0-", "bytes=100000-", "bytes=100000-", "bytes=150000-"]);
    expect(await partials()).toEqual([]);
  });

  it("begins anew where the server knows no ranges", async () => {
    hub.commit(ID, model);
    hub.ranges = false;
    hub.cut("model.safetensors", 100_000);
    const seen: number[] = [];
    const directory = await resolve({ onProgress: ({ received }) => seen.push(received) });
    await expectWeights(directory);
    expect(seen.at(-1)).toBe(Object.values(model).reduce((sum, { length }) => sum + length, 0));
  });

  it("that is stopped leaves nothing under the final name, and the next one goes on with it", async () => {
    hub.commit(ID, model);
    hub.cut("model.safetensors", 200_000, 0, 0, 0, 0, 0);
    const stop = new AbortController();
    const stopped = refused({ signal: stop.signal });
    await vi.waitFor(() => expect(ranges().length).toBeGreaterThan(1));
    stop.abort(new Error("Ctrl+C"));
    expect(await stopped).toBe(stop.signal.reason);
    expect(existsSync(join(folder(), "refs/main"))).toBe(false);
    const left = await partials();
    expect(left).toHaveLength(1);
    expect((await lstat(join(folder(), "blobs", left[0]!))).size).toBe(200_000);

    hub.cut("model.safetensors");
    hub.requests.length = 0;
    const directory = await resolve();
    await expectWeights(directory);
    expect(ranges()).toEqual(["bytes=200000-"]);
    expect(await partials()).toEqual([]);
  });

  it("takes over what an ended process left, and nothing that another one writes", async () => {
    hub.commit(ID, model);
    const hash = createHash("sha256").update(weights).digest("hex");
    const partial = (host: string, pid: number, salt: string): string =>
      join(folder(), "blobs", `${hash}.${host}-${pid}.${salt}.incomplete`);
    const ended = 2 ** 22 + 1; // above what Linux gives out
    await mkdir(dirname(partial("", 0, "")), { recursive: true });
    await writeFile(partial(hostname(), ended, "00000001"), weights.subarray(0, 1000));
    await writeFile(partial(hostname(), ended, "00000002"), weights.subarray(0, 2000));
    await writeFile(partial(hostname(), process.ppid, "00000003"), weights.subarray(0, 3000));
    await writeFile(partial("elsewhere", ended, "00000004"), weights.subarray(0, 4000));
    await resolve();
    expect(ranges()).toEqual(["bytes=2000-"]);
    const left = await partials();
    expect(left.sort()).toEqual(
      [expect.stringContaining("elsewhere"), expect.stringContaining(`${process.ppid}.00000003`)].sort(),
    );
  });

  it("begins anew where what was left is of something else", async () => {
    hub.commit(ID, model);
    const hash = createHash("sha256").update(weights).digest("hex");
    await mkdir(join(folder(), "blobs"), { recursive: true });
    await writeFile(
      join(folder(), "blobs", `${hash}.${hostname()}-${process.pid}.00000000.incomplete`),
      randomBytes(1000),
    );
    const directory = await resolve();
    await expectWeights(directory);
  });

  it.each([
    ["other", randomBytes(300_000), /but has another checksum/],
    ["more", Buffer.concat([weights, weights]), /but is longer/],
  ])("of %s bytes than listed is refused", async (_, contents, message) => {
    hub.commit(ID, model);
    hub.lie("model.safetensors", contents);
    expect((await refused()).message).toMatch(message);
    expect(await partials()).toEqual([]);
    expect(existsSync(join(folder(), "snapshots"))).toBe(true);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    await refused();
  });

  it("mends a file of the cache that was cut short", async () => {
    hub.commit(ID, model);
    const directory = await resolve();
    await writeFile(join(directory, "model.safetensors"), weights.subarray(0, 10));
    await resolve();
    await expectWeights(directory);
  });

  it("is made once where it is asked for twice at once", async () => {
    hub.commit(ID, model);
    const [a, b] = await Promise.all([resolve(), resolve()]);
    expect(a).toBe(b);
    await expectWeights(a);
    expect(ranges()).toHaveLength(1);
    expect((await readdir(a)).sort()).toEqual(Object.keys(model).sort());
  });

  it("may be slow, as long as bytes come", async () => {
    hub.commit(ID, model);
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    hub.pace("model.safetensors", 4, 400);
    await resolve();
    expect(ranges()).toEqual(["bytes=0-"]);
  });

  it("ends at once where it is stopped", async () => {
    hub.commit(ID, model);
    hub.stall("model.safetensors", 100_000);
    const stop = new AbortController();
    const stopped = refused({ signal: stop.signal });
    await vi.waitFor(() => expect(ranges()).toHaveLength(1));
    stop.abort();
    expect(await stopped).toBe(stop.signal.reason);
    expect(ranges()).toHaveLength(1);
  });

  it("that stalls is cut and goes on", async () => {
    hub.commit(ID, model);
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    hub.stall("model.safetensors", 100_000);
    const directory = await resolve();
    await expectWeights(directory);
    expect(ranges()).toEqual(["bytes=0-", "bytes=100000-"]);
  });
});

describe("hubEnvironment", () => {
  it.each([
    [{ HF_HOME: "/h" }, "/h/hub"],
    [{ HF_HOME: "/h", HF_HUB_CACHE: "/c" }, "/c"],
    [{ HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ HF_HOME: "~/h" }, join(process.env.HOME ?? "", "h/hub")],
  ])("finds the cache as huggingface_hub does: %j", async (variables, expected) => {
    expect((await hubEnvironment(variables)).cache).toBe(expected);
  });

  it("takes an endpoint without its last slash and refuses what is none", async () => {
    expect((await hubEnvironment({ HF_ENDPOINT: "https://mirror.example/hf/" })).endpoint).toBe(
      "https://mirror.example/hf",
    );
    await expect(hubEnvironment({ HF_ENDPOINT: "mirror" })).rejects.toThrow(/HF_ENDPOINT must be an address/);
    await expect(hubEnvironment({ HF_HUB_ETAG_TIMEOUT: "soon" })).rejects.toThrow(
      /must be a whole number of seconds/,
    );
  });
});
