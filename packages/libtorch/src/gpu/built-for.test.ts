import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { builtFor } from "./built-for.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "built-for-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("builtFor", () => {
  it("reads what stands beside a bridge, and here beside the one that set-up built", () => {
    const built = { root: "/r", version: "2.15.0", why: "", cuda: { version: "13.2", missing: [] } };
    writeFileSync(join(folder, "libtorch.json"), JSON.stringify(built));
    expect(builtFor(join(folder, "bridge.node"))).toEqual(built);
    expect(builtFor()).toMatchObject({ root: expect.any(String), version: expect.any(String) });
  });

  it("is undefined where set-up left nothing, or did not finish", () => {
    const bridge = join(folder, "bridge.node");
    expect(builtFor(bridge)).toBeUndefined();
    writeFileSync(join(folder, "libtorch.json"), '{ "root": "/r"');
    expect(builtFor(bridge)).toBeUndefined();
  });
});
