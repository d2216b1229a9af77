import type { Chosen, Service } from "./services.js";
import type { SinkContext } from "./sink-context.js";
import { sinkThread } from "./threads/sink-thread.js";
import type { Sink } from "./tracker.js";

/** What the recipe says of the services that a run is shown in. */
export interface ServiceOptions {
  /** Which model becomes an artifact at the end, and the report with it. */
  logModel: "none" | "final" | "best";
  wandb: {
    project?: string | undefined;
    entity?: string | undefined;
    group?: string | undefined;
    job_type?: string | undefined;
    tags?: readonly string[] | undefined;
    notes?: string | undefined;
    resume: "append" | "rewind";
  };
  mlflow: { experiment?: string | undefined };
}

export const DEFAULT_SERVICE_OPTIONS: ServiceOptions = {
  logModel: "none",
  wandb: { resume: "append" },
  mlflow: {},
};

/** What each service's sink is made with. */
export type ServiceSinkOptions = ServiceOptions & {
  /** The run directory. */
  directory: string;
  because: Chosen["because"];
};

const MODULES: Readonly<Record<Service, { name: string; module: URL }>> = {
  wandb: { name: "Weights & Biases", module: new URL("./sinks/wandb/wandb.js", import.meta.url) },
  tensorboard: {
    name: "TensorBoard",
    module: new URL("./sinks/tensorboard/tensorboard.js", import.meta.url),
  },
  mlflow: { name: "MLflow", module: new URL("./sinks/mlflow/mlflow.js", import.meta.url) },
  trackio: { name: "Trackio", module: new URL("./sinks/trackio/trackio.js", import.meta.url) },
};

/** A service in a thread of its own. Where the environment chose it, that is said. */
export function serviceThread(
  { service, because }: Chosen,
  options: Omit<ServiceSinkOptions, "because">,
  context: Omit<SinkContext, "now" | "working">,
): Sink {
  const { name, module } = MODULES[service];
  if (because !== "recipe")
    context.note(`The run is shown in ${name} too, as ${because} is set; tracking: none would keep it here.`);
  return sinkThread({ name, module, options: { ...options, because }, ...context });
}
