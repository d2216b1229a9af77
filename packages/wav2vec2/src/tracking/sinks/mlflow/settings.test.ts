import { describe, expect, it } from "vitest";
import { mlflowSettings } from "./settings.js";

describe("mlflowSettings", () => {
  const MLFLOW_TRACKING_URI = "https://ada:a%20b@host:5000/mlflow/";

  it("takes logins of the address, of variables, and tokens", () => {
    const of = (variables: Record<string, string>) =>
      mlflowSettings({ MLFLOW_TRACKING_URI, ...variables }, {}).headers.authorization;
    const basic = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;
    expect(mlflowSettings({ MLFLOW_TRACKING_URI }, {}).address).toBe("https://host:5000/mlflow");
    expect(of({})).toBe(basic("ada:a b"));
    expect(of({ MLFLOW_TRACKING_USERNAME: "eve", MLFLOW_TRACKING_PASSWORD: "x" })).toBe(basic("eve:x"));
    const token = { MLFLOW_TRACKING_URI: "http://host", MLFLOW_TRACKING_TOKEN: "t" };
    expect(of(token)).toBe("Bearer t");
    expect(of({ MLFLOW_TRACKING_URI: "http://host" })).toBeUndefined();
  });

  it("takes the experiment of the recipe before that of the environment", () => {
    const of = (variables: Record<string, string>, recipe = {}) =>
      mlflowSettings({ MLFLOW_TRACKING_URI, ...variables }, recipe).experiment;
    expect(of({})).toEqual({ name: "wav2vec2" });
    expect(of({ MLFLOW_EXPERIMENT_NAME: "a" })).toEqual({ name: "a" });
    expect(of({ MLFLOW_EXPERIMENT_ID: "7" })).toEqual({ id: "7" });
    expect(of({ MLFLOW_EXPERIMENT_ID: "7" }, { experiment: "b" })).toEqual({ name: "b" });
    expect(mlflowSettings({ MLFLOW_TRACKING_URI, MLFLOW_TRACKING_INSECURE_TLS: "true" }, {}).insecure).toBe(
      true,
    );
  });
});
