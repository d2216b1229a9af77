import { UserError } from "../../../errors.js";
import type { ServiceOptions } from "../../service-thread.js";

/** Where a run goes in MLflow, by the variables that its own client reads. */
export interface MlflowSettings {
  /** Without a slash at its end. */
  address: string;
  headers: Record<string, string>;
  experiment: { name: string } | { id: string };
  /** A run that is there already. */
  runId?: string;
  runName?: string;
  insecure: boolean;
}

/**
 * What the environment and the recipe say; the recipe has the last word.
 *
 * @throws UserError where there is no address of a server
 */
export function mlflowSettings(
  environment: NodeJS.ProcessEnv,
  recipe: ServiceOptions["mlflow"],
): MlflowSettings {
  const {
    MLFLOW_EXPERIMENT_ID: id,
    MLFLOW_EXPERIMENT_NAME: name,
    MLFLOW_RUN_ID: runId,
    MLFLOW_RUN_NAME: runName,
  } = environment;
  const url = addressOf(environment.MLFLOW_TRACKING_URI);
  const authorization = authorizationOf(environment, url);
  const wanted = recipe.experiment ?? name;
  url.username = url.password = "";
  return {
    address: `${url.origin}${url.pathname}`.replace(/\/+$/, ""),
    headers: authorization ? { authorization } : {},
    experiment: wanted === undefined && id ? { id } : { name: wanted || "wav2vec2" },
    ...(runId && { runId }),
    ...(runName && { runName }),
    insecure: ["true", "1"].includes(environment.MLFLOW_TRACKING_INSECURE_TLS?.toLowerCase() ?? ""),
  };
}

function addressOf(uri: string | undefined): URL {
  if (uri && /^https?:/i.test(uri) && URL.canParse(uri)) return new URL(uri);
  const is = uri ? uri : "not set";
  const server = uri && isStore(uri) ? ` --backend-store-uri '${uri}'` : "";
  throw new UserError(
    `MLFLOW_TRACKING_URI must be the address of an MLflow server, such as http://localhost:5000, but is ${is}. Start one with ` +
      `mlflow server${server} and set the variable to its address, or take mlflow out of tracking.`,
  );
}

/** What MLflow keeps runs in without a server. */
function isStore(uri: string): boolean {
  return /^(file|sqlite|postgresql|mysql|mssql)[+:]/.test(uri) || uri.startsWith("/") || uri.startsWith(".");
}

function authorizationOf(environment: NodeJS.ProcessEnv, url: URL): string | undefined {
  const name = environment.MLFLOW_TRACKING_USERNAME || decodeURIComponent(url.username);
  const password = environment.MLFLOW_TRACKING_PASSWORD || decodeURIComponent(url.password);
  if (name) return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  const token = environment.MLFLOW_TRACKING_TOKEN;
  return token ? `Bearer ${token}` : undefined;
}
