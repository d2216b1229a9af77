import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hubEnvironment } from "./hub-environment.js";

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
