import { describe, expect, it } from "vitest";
import { trackioSettings } from "./settings.js";

describe("trackioSettings", () => {
  it("takes a Space, or a server with its token", () => {
    const server = { TRACKIO_SERVER_URL: "http://host:7860/?write_token=secret" };
    expect(trackioSettings(server)).toEqual({
      address: "http://host:7860",
      headers: { "x-trackio-write-token": "secret" },
      project: "wav2vec2",
      token: null,
    });
    const space = { TRACKIO_SPACE_ID: "Ada/my_space.x", HF_TOKEN: "hf", TRACKIO_PROJECT: "p" };
    expect(trackioSettings({ ...server, ...space })).toMatchObject({
      address: "https://ada-my-space-x.hf.space",
      project: "p",
      token: "hf",
    });
    expect(() => trackioSettings({ TRACKIO_SERVER_URL: "http://host" })).toThrow("must carry a write_token");
    expect(() => trackioSettings({})).toThrow("but is not set. Start one with trackio show");
    expect(() => trackioSettings({ TRACKIO_SPACE_ID: "a" })).toThrow("must be USER/SPACE, but is a.");
    expect(() => trackioSettings({ TRACKIO_SPACE_ID: "a/b" })).toThrow(
      "HF_TOKEN must let you write to the Space a/b",
    );
  });
});
