import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunDescription } from "../../run-description.js";
import { readSettings, type WandbSettings } from "./settings.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "wandb-settings-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const run = {
  name: "base",
  id: "abcd1234",
  directory: "/runs/base",
  task: "finetune",
  recipe: {},
  resumed: false,
};

/** @param environment beside one that leads to no files of this machine */
function settings(environment: NodeJS.ProcessEnv, options = {}, changes: object = {}): WandbSettings {
  const description = { ...run, ...changes } as unknown as RunDescription;
  const empty = { NETRC: join(directory, "netrc"), WANDB_CONFIG_DIR: directory };
  return readSettings(description, { resume: "append", ...options }, { ...empty, ...environment });
}

describe("readSettings", () => {
  it("has a default for everything", () => {
    expect(settings({})).toEqual({
      mode: "online",
      baseUrl: "https://api.wandb.ai",
      appUrl: "https://wandb.ai",
      key: undefined,
      entity: undefined,
      project: "wav2vec2",
      runId: "abcd1234",
      name: "base",
      group: undefined,
      jobType: "finetune",
      tags: [],
      notes: undefined,
      directory: "/runs/base",
      existing: "ours",
      resume: "append",
    });
  });

  it("takes W&B's variables, and the recipe before them", () => {
    const environment = {
      WANDB_BASE_URL: "https://api.wandb.example.org/",
      WANDB_API_KEY: " key\n",
      WANDB_MODE: "offline",
      WANDB_PROJECT: "speech",
      WANDB_ENTITY: "team",
      WANDB_RUN_ID: "mine",
      WANDB_NAME: "named",
      WANDB_RUN_GROUP: "seeds",
      WANDB_JOB_TYPE: "train",
      WANDB_TAGS: "a, b,",
      WANDB_NOTES: "noted",
      WANDB_DIR: "/elsewhere",
    };
    const given = {
      mode: "offline",
      baseUrl: "https://api.wandb.example.org",
      appUrl: "https://wandb.example.org",
      key: "key",
      project: "speech",
      entity: "team",
      runId: "mine",
      name: "named",
      group: "seeds",
      jobType: "train",
      tags: ["a", "b"],
      notes: "noted",
      directory: "/elsewhere",
      existing: "allow",
    };
    expect(settings(environment)).toMatchObject(given);
    const recipe = { project: "p", entity: "e", group: "g", job_type: "j", tags: ["t"], notes: "n" };
    const { job_type: jobType, ...others } = recipe;
    expect(settings(environment, recipe, { recipe: { run_name: "base" } })).toMatchObject({
      ...given,
      ...others,
      jobType,
      name: "base",
    });
  });

  it("reads what W&B's own commands write down", () => {
    writeFileSync(
      join(directory, "settings"),
      "[default]\nbase_url = http://localhost:8080\nentity = team\n",
    );
    mkdirSync(join(directory, "wandb"));
    writeFileSync(join(directory, "wandb", "settings"), "[default]\nmode = offline\n");
    const found = settings({ WANDB_DIR: directory });
    expect(found).toMatchObject({ baseUrl: "http://localhost:8080", entity: "team", mode: "offline" });
    expect(settings({ WANDB_DIR: directory, WANDB_MODE: "online" }).mode).toBe("online");
  });

  it.each([
    ["machine api.wandb.ai\n  login user\n  password secret\n", "secret"],
    ["machine other.org login user password no\nmachine api.wandb.ai login user password 'a b'", "a b"],
    ["machine api.forge.coreweave.com login user password forge", "forge"],
    [
      "macdef init\nmachine api.wandb.ai password macro\n\nmachine api.wandb.ai login u password real",
      "real",
    ],
    ["# machine api.wandb.ai password comment\nmachine api.wandb.ai account a password k", "k"],
    ["machine api.wandb.ai.evil.org login user password no", undefined],
    ["default login user password no", undefined],
  ])("finds the key that wandb login wrote in %j", (netrc, key) => {
    writeFileSync(join(directory, "netrc"), netrc);
    expect(settings({}).key).toBe(key);
  });

  it("finds the key of a server of one's own by host and port", () => {
    writeFileSync(join(directory, "netrc"), "machine localhost:8080\n login user\n password local\n");
    expect(settings({ WANDB_BASE_URL: "http://localhost:8080" }).key).toBe("local");
    expect(settings({ WANDB_BASE_URL: "http://localhost:8081" }).key).toBeUndefined();
  });

  it.each(["must", "never", "allow", "auto"])("takes WANDB_RESUME=%s", (resume) => {
    const existing = ["must", "never"].includes(resume) ? resume : "allow";
    expect(settings({ WANDB_RESUME: resume }).existing).toBe(existing);
  });

  it("looks for the run of an earlier process", () => {
    expect(settings({}, {}, { resumed: true }).existing).toBe("allow");
  });

  it.each(["a/b", "a\\b", "a#b", "a?b", "a%b", "a:b"])("refuses the project %s as W&B does", (project) => {
    expect(() => settings({ WANDB_PROJECT: project })).toThrow(
      `must have at most 128 characters and none of / \\ # ? % :, but ${JSON.stringify(project)} has ${project[1]}. Change`,
    );
  });

  it("takes odd names that W&B takes, and no longer ones", () => {
    expect(settings({}, { project: "søk & find 'it' 日本" }).project).toBe("søk & find 'it' 日本");
    expect(() => settings({}, { project: "x".repeat(129) })).toThrow('x" has 129. Change');
  });

  it.each([
    [{ WANDB_MODE: "sometimes" }, "WANDB_MODE must be online, offline or disabled, but is sometimes."],
    [{ WANDB_RUN_ID: "a/b" }, "WANDB_RUN_ID must have none of"],
    [{ WANDB_BASE_URL: "localhost" }, "WANDB_BASE_URL must be an address"],
    [{ WANDB_BASE_URL: "ftp://wandb.ai" }, "WANDB_BASE_URL must be an address"],
    [{ WANDB_BASE_URL: "https://user:secret@wandb.ai" }, "but is one with a user"],
  ])("refuses %o", (environment, message) => {
    expect(() => settings(environment)).toThrow(message);
    expect(() => settings(environment)).not.toThrow("secret");
  });
});
