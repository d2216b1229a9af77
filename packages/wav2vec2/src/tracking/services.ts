/** What a run can be shown in beside its directory and the terminal, by the names that Hugging Face's `report_to` has. */
export const SERVICES = ["wandb", "tensorboard", "mlflow", "trackio"] as const;

export type Service = (typeof SERVICES)[number];

/** Variables that people set where they use a service: one of them is enough to choose it. */
const SIGNS: Readonly<Record<Service, readonly string[]>> = {
  wandb: ["WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_RUN_ID"],
  mlflow: ["MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"],
  trackio: ["TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"],
  tensorboard: [],
};

/** A service, and why it was chosen: by the recipe, or the name of a variable. */
export interface Chosen {
  service: Service;
  because: "recipe" | (string & {});
}

/**
 * The services that a run reports to.
 *
 * @param wanted of the recipe: names, or `auto`, which takes those that the environment names
 */
export function chooseServices(
  wanted: readonly (Service | "auto")[],
  environment: NodeJS.ProcessEnv,
): Chosen[] {
  const chosen = SERVICES.flatMap((service): Chosen[] => {
    if (wanted.includes(service)) return [{ service, because: "recipe" }];
    const sign = wanted.includes("auto") && SIGNS[service].find((name) => environment[name]);
    return sign ? [{ service, because: sign }] : [];
  });
  return chosen.filter(({ service }) => service !== "wandb" || !isDisabled(environment));
}

/** Weights & Biases' own ways to turn it off. */
function isDisabled({ WANDB_MODE: mode, WANDB_DISABLED: disabled }: NodeJS.ProcessEnv): boolean {
  return mode === "disabled" || ["true", "1"].includes(disabled?.toLowerCase() ?? "");
}
