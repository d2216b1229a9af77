import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ID, model, useHub } from "../../../test/model/hub-fixture.js";
import { hubEnvironment } from "./hub-environment.js";
import { HubClient } from "./hub-request.js";

const at = useHub();

describe("the token", () => {
  it("goes to the Hub, and not to where the Hub redirects", async () => {
    at.hub.commit(ID, model, { private: true });
    vi.stubEnv("HF_TOKEN", at.hub.token);
    await at.resolve();
    const tokens = (host: string) =>
      new Set(
        at.hub.requests.filter((request) => request.host === host).map(({ authorization }) => authorization),
      );
    expect(tokens("hub")).toEqual(new Set([`Bearer ${at.hub.token}`]));
    expect(tokens("cdn")).toEqual(new Set([undefined]));
  });

  it("does not go to another host that an answer names", async () => {
    vi.stubEnv("HF_TOKEN", at.hub.token);
    const client = new HubClient(await hubEnvironment());
    for (const url of [`${at.hub.url}/a/b/resolve/main/c`, `${at.hub.storeUrl}/${ID}/page/2`]) {
      await client.request(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    }
    expect(at.hub.requests.map(({ host, authorization }) => [host, authorization])).toEqual([
      ["hub", `Bearer ${at.hub.token}`],
      ["cdn", undefined],
    ]);
  });

  it("may stand in the file that huggingface_hub writes, and need not begin with hf_", async () => {
    at.hub.token = "organisation-token";
    at.hub.commit(ID, model, { private: true });
    await writeFile(join(at.home, "token"), `${at.hub.token}\n`);
    vi.stubEnv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
    await at.refused();
    vi.stubEnv("HF_HUB_DISABLE_IMPLICIT_TOKEN", undefined);
    expect(existsSync(join(await at.resolve(), "config.json"))).toBe(true);
  });
});
