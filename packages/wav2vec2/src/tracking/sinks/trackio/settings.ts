import { ConfigurationError } from "../../../errors.js";

/** Where a run goes in Trackio. */
export interface TrackioSettings {
  /** Without a slash at its end. */
  address: string;
  headers: Record<string, string>;
  project: string;
  /** By which a Space on the Hub knows a user. */
  token: string | null;
}

/**
 * What the environment says: the variables that Trackio's own client reads, and `TRACKIO_PROJECT` of Hugging Face's Trainer.
 *
 * @throws ConfigurationError where no server is named, or nothing that lets one write to it
 */
export function trackioSettings(environment: NodeJS.ProcessEnv): TrackioSettings {
  const { TRACKIO_SERVER_URL: server, TRACKIO_SPACE_ID: space, TRACKIO_PROJECT: project } = environment;
  const place = space ? inSpace(space, environment) : onServer(server, environment);
  return { ...place, project: project || "wav2vec2" };
}

type Place = Omit<TrackioSettings, "project">;

function inSpace(space: string, { HF_TOKEN: token }: NodeJS.ProcessEnv): Place {
  if (!/^[\w.-]+\/[\w.-]+$/.test(space))
    throw new ConfigurationError(`TRACKIO_SPACE_ID must be USER/SPACE, but is ${space}.`);
  if (!token)
    throw new ConfigurationError(`HF_TOKEN must let you write to the Space ${space}, but is not set.`);
  const subdomain = space.toLowerCase().replace(/[/_.]/g, "-");
  return { address: `https://${subdomain}.hf.space`, headers: { authorization: `Bearer ${token}` }, token };
}

function onServer(server: string | undefined, { TRACKIO_WRITE_TOKEN: known }: NodeJS.ProcessEnv): Place {
  if (!server || !/^https?:/i.test(server) || !URL.canParse(server))
    throw new ConfigurationError(
      `TRACKIO_SERVER_URL must be the address of a Trackio server, but is ${server || "not set"}. Start one with trackio show and set ` +
        "it to the address with write_token that it prints, or TRACKIO_SPACE_ID to USER/SPACE.",
    );
  const url = new URL(server);
  const token = url.searchParams.get("write_token") ?? known;
  if (!token)
    throw new ConfigurationError(
      "TRACKIO_SERVER_URL must carry a write_token, but does not. Take the address that trackio show prints, or set TRACKIO_WRITE_TOKEN.",
    );
  const address = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
  return { address, headers: { "x-trackio-write-token": token }, token: null };
}
