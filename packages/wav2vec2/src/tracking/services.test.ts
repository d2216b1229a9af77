import { describe, expect, it } from "vitest";
import { chooseServices } from "./services.js";

describe("chooseServices", () => {
  it("takes those of the recipe, whatever the environment says", () => {
    expect(
      chooseServices(["tensorboard", "wandb"], { MLFLOW_TRACKING_URI: "http://localhost:5000" }),
    ).toEqual([
      { service: "wandb", because: "recipe" },
      { service: "tensorboard", because: "recipe" },
    ]);
    expect(chooseServices([], { WANDB_API_KEY: "key" })).toEqual([]);
  });

  it("takes those that the environment names with auto, beside those of the recipe", () => {
    const environment = {
      WANDB_API_KEY: "key",
      MLFLOW_TRACKING_URI: "http://localhost:5000",
      WANDB_PROJECT: "",
    };
    expect(chooseServices(["auto", "tensorboard"], environment)).toEqual([
      { service: "wandb", because: "WANDB_API_KEY" },
      { service: "tensorboard", because: "recipe" },
      { service: "mlflow", because: "MLFLOW_TRACKING_URI" },
    ]);
    expect(chooseServices(["auto"], {})).toEqual([]);
  });

  it.each([{ WANDB_MODE: "disabled" }, { WANDB_DISABLED: "true" }])("leaves W&B out with %o", (off) => {
    expect(chooseServices(["auto", "wandb"], { WANDB_API_KEY: "key", ...off })).toEqual([]);
  });
});
