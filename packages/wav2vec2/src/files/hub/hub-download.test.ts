import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { expectWeights, ID, model, useHub, weights } from "../../../test/model/hub-fixture.js";

const at = useHub();

describe("a download", () => {
  const partials = async (): Promise<string[]> =>
    (await readdir(join(at.folder, "blobs"))).filter((name) => name.endsWith(".incomplete"));
  const ranges = (): (string | undefined)[] =>
    at.hub.requests.filter(({ host }) => host === "cdn").map(({ range }) => range);

  it("that is cut goes on where it broke off", async () => {
    at.hub.commit(ID, model);
    at.hub.cut("model.safetensors", 100_000, 0, 50_000);
    at.hub.cut("config.json", 5);
    const directory = await at.resolve();
    await expectWeights(directory);
    const starts = ranges().map((range) => Number(/\d+/.exec(range!)![0]));
    expect(starts).toHaveLength(4);
    // On a busy machine a part of what was sent is not yet read when the end is heard.
    const [, first, again, second] = starts as [number, number, number, number];
    expect([
      first > 0 && first <= 100_000,
      again - first,
      second > first && second <= first + 50_000,
    ]).toEqual([true, 0, true]);
    expect(await partials()).toEqual([]);
  });

  it("begins anew where the server knows no ranges", async () => {
    at.hub.commit(ID, model);
    at.hub.ranges = false;
    at.hub.cut("model.safetensors", 100_000);
    const seen: number[] = [];
    const directory = await at.resolve({ onProgress: ({ received }) => seen.push(received) });
    await expectWeights(directory);
    expect(seen.at(-1)).toBe(Object.values(model).reduce((sum, { length }) => sum + length, 0));
  });

  it("that is stopped leaves nothing under the final name, and the next one goes on with it", async () => {
    at.hub.commit(ID, model);
    at.hub.cut("model.safetensors", 200_000, 0, 0, 0, 0, 0);
    const stop = new AbortController();
    const stopped = at.refused({ signal: stop.signal });
    await vi.waitFor(() => expect(ranges().length).toBeGreaterThan(1));
    stop.abort(new Error("Ctrl+C"));
    expect(await stopped).toBe(stop.signal.reason);
    expect(existsSync(join(at.folder, "refs/main"))).toBe(false);
    const left = await partials();
    expect(left).toHaveLength(1);
    expect((await lstat(join(at.folder, "blobs", left[0]!))).size).toBe(200_000);

    at.hub.cut("model.safetensors");
    at.hub.requests.length = 0;
    const directory = await at.resolve();
    await expectWeights(directory);
    expect(ranges()).toEqual(["bytes=200000-"]);
    expect(await partials()).toEqual([]);
  });

  it("takes over what an ended process left, and nothing that another one writes", async () => {
    at.hub.commit(ID, model);
    const hash = createHash("sha256").update(weights).digest("hex");
    const partial = (host: string, pid: number, salt: string): string =>
      join(at.folder, "blobs", `${hash}.${host}-${pid}.${salt}.incomplete`);
    const ended = 2 ** 22 + 1; // above what Linux gives out
    await mkdir(dirname(partial("", 0, "")), { recursive: true });
    await writeFile(partial(hostname(), ended, "00000001"), weights.subarray(0, 1000));
    await writeFile(partial(hostname(), ended, "00000002"), weights.subarray(0, 2000));
    await writeFile(partial(hostname(), process.ppid, "00000003"), weights.subarray(0, 3000));
    await writeFile(partial("elsewhere", ended, "00000004"), weights.subarray(0, 4000));
    await at.resolve();
    expect(ranges()).toEqual(["bytes=2000-"]);
    const left = await partials();
    expect(left.sort()).toEqual(
      [expect.stringContaining("elsewhere"), expect.stringContaining(`${process.ppid}.00000003`)].sort(),
    );
  });

  it("begins anew where what was left is of something else", async () => {
    at.hub.commit(ID, model);
    const hash = createHash("sha256").update(weights).digest("hex");
    await mkdir(join(at.folder, "blobs"), { recursive: true });
    await writeFile(
      join(at.folder, "blobs", `${hash}.${hostname()}-${process.pid}.00000000.incomplete`),
      randomBytes(1000),
    );
    const directory = await at.resolve();
    await expectWeights(directory);
  });

  it.each([
    ["other", randomBytes(300_000), /but has another checksum/],
    ["more", Buffer.concat([weights, weights]), /but is longer/],
  ])("of %s bytes than listed is refused", async (_, contents, message) => {
    at.hub.commit(ID, model);
    at.hub.lie("model.safetensors", contents);
    expect((await at.refused()).message).toMatch(message);
    expect(await partials()).toEqual([]);
    expect(existsSync(join(at.folder, "snapshots"))).toBe(true);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    await at.refused();
  });

  it("mends a file of the cache that was cut short", async () => {
    at.hub.commit(ID, model);
    const directory = await at.resolve();
    await writeFile(join(directory, "model.safetensors"), weights.subarray(0, 10));
    await at.resolve();
    await expectWeights(directory);
  });

  it("is made once where it is asked for twice at once", async () => {
    at.hub.commit(ID, model);
    const [a, b] = await Promise.all([at.resolve(), at.resolve()]);
    expect(a).toBe(b);
    await expectWeights(a);
    expect(ranges()).toHaveLength(1);
    expect((await readdir(a)).sort()).toEqual(Object.keys(model).sort());
  });

  it("may be slow, as long as bytes come", async () => {
    at.hub.commit(ID, model);
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    at.hub.pace("model.safetensors", 4, 400);
    await at.resolve();
    expect(ranges()).toEqual(["bytes=0-"]);
  });

  it("ends at once where it is stopped", async () => {
    at.hub.commit(ID, model);
    at.hub.stall("model.safetensors", 100_000);
    const stop = new AbortController();
    const stopped = at.refused({ signal: stop.signal });
    await vi.waitFor(() => expect(ranges()).toHaveLength(1));
    stop.abort();
    expect(await stopped).toBe(stop.signal.reason);
    expect(ranges()).toHaveLength(1);
  });

  it("that stalls is cut and goes on", async () => {
    at.hub.commit(ID, model);
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    at.hub.stall("model.safetensors", 100_000);
    const directory = await at.resolve();
    await expectWeights(directory);
    expect(ranges()).toEqual(["bytes=0-", "bytes=100000-"]);
  });
});
