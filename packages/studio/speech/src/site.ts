/** What `models.json` says of the site: `wav2vec2 page` writes it. */
export interface Site {
  models: readonly SiteModel[];
  /** Whether the engine for GPUs is among the files. */
  webgpu: boolean;
}

export interface SiteModel {
  name: string;
  /** Below the page, with a slash behind. */
  directory: string;
  /** Of the network's files. */
  bytes: number;
  /** Which numbers its network is in. */
  dtype: string;
  /** Whether the GPU has operators for them. */
  runsOnGpu: boolean;
  /** A language model that the decoder takes, below the page, and how much it counts. */
  languageModel?: { file: string; lmWeight?: number; wordScore?: number };
}

/** The address of a file of the site. */
export function addressOf(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** @throws Error where the site has no list of models */
export async function readSite(): Promise<Site> {
  const response = await fetch(addressOf("models.json"), { cache: "no-cache" });
  if (!response.ok)
    throw new Error(`The list of models must be there, but the server answers ${response.status}.`);
  return (await response.json()) as Site;
}
