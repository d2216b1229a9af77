import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import type { WandbApi } from "./api.js";
import { parseHeaders, type RunPath } from "./operations.js";
import type { MessageOf } from "./record.js";

/** Of W&B's clients: the format of an artifact's digest, and how its files are stored. */
const DIGEST_HEADER = "wandb-artifact-manifest-v1\n";
const STORAGE_POLICY = "wandb-storage-policy-v1";
const STORAGE_LAYOUT = "V2";
const MANIFEST = "wandb_manifest.json";
/** Files whose places are asked for at once. */
const BATCH = 50;

type Artifact = MessageOf<"Artifact">;

/** Which files an artifact is of, and what it is called. */
export interface ArtifactContents {
  name: string;
  type: string;
  aliases: readonly string[];
  metadata: object;
  /** A directory, with all below it. */
  directory: string;
  /** Others, which lie beside its own in the artifact. */
  files: readonly string[];
}

/** Describes an artifact of a run; its files stay where they are. */
export async function describeArtifact(
  { entity, project, run }: RunPath,
  { name, type, aliases, metadata, directory, files }: ArtifactContents,
): Promise<Artifact> {
  const below = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = below
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const named = [
    ...paths.map((path) => ({ name: relative(directory, path).replaceAll(sep, "/"), path })),
    ...files.map((path) => ({ name: basename(path), path })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  const contents = [];
  for (const one of named)
    contents.push({
      path: one.name,
      digest: await md5Of(one.path),
      size: BigInt((await stat(one.path)).size),
      localPath: one.path,
      skipCache: true,
    });
  const digest = createHash("md5").update(DIGEST_HEADER);
  for (const one of contents) digest.update(`${one.path}:${one.digest}\n`);
  return {
    runId: run,
    project,
    entity,
    type,
    name,
    digest: digest.digest("hex"),
    metadata: JSON.stringify(metadata),
    useAfterCommit: false,
    aliases: ["latest", ...aliases],
    manifest: { version: 1, storagePolicy: STORAGE_POLICY, contents },
    finalize: true,
    clientId: randomBytes(64).toString("hex"),
    sequenceClientId: randomBytes(64).toString("hex"),
  };
}

/** Uploads an artifact, where the server has none of the same contents. */
export async function uploadArtifact(api: WandbApi, path: RunPath, artifact: Artifact): Promise<void> {
  const { id, state } = await createArtifact(api, path, artifact);
  if (state === "COMMITTED") return;
  const { id: manifestId } = await createManifest(api, path, id, undefined);
  const entries = artifact.manifest?.contents ?? [];
  const contents: Record<string, object> = {};
  for (let at = 0; at < entries.length; at += BATCH) {
    const batch = entries.slice(at, at + BATCH);
    const places = await createFiles(api, id, manifestId, batch);
    for (const [index, { uploadUrl, uploadHeaders, artifact: birth }] of places.entries()) {
      const { path: name, digest, size, localPath } = batch[index]!;
      contents[name!] = { digest, size: Number(size), birthArtifactID: birth.id };
      if (uploadUrl)
        await api.put(new URL(uploadUrl, api.baseUrl).href, localPath!, parseHeaders(uploadHeaders));
    }
  }
  const manifest = Buffer.from(
    JSON.stringify({
      version: 1,
      storagePolicy: STORAGE_POLICY,
      storagePolicyConfig: { storageLayout: STORAGE_LAYOUT },
      contents,
    }),
  );
  const digest = createHash("md5").update(manifest).digest("base64");
  const { file } = await createManifest(api, path, id, digest);
  await api.put(new URL(file.uploadUrl!, api.baseUrl).href, manifest, parseHeaders(file.uploadHeaders));
  await api.graphql(
    "mutation CommitArtifact($artifactID: ID!) { commitArtifact(input: {artifactID: $artifactID}) { artifact { id } } }",
    { artifactID: id },
  );
}

async function createArtifact(
  api: WandbApi,
  { entity, project, run }: RunPath,
  artifact: Artifact,
): Promise<{ id: string; state: string }> {
  const input = {
    entityName: entity,
    projectName: project,
    runName: run,
    artifactTypeName: artifact.type,
    artifactCollectionName: artifact.name,
    digest: artifact.digest,
    digestAlgorithm: "MANIFEST_MD5",
    metadata: artifact.metadata,
    aliases: artifact.aliases?.map((alias) => ({ artifactCollectionName: artifact.name, alias })),
    clientID: artifact.clientId,
    sequenceClientID: artifact.sequenceClientId,
    enableDigestDeduplication: true,
  };
  const { createArtifact } = await api.graphql<{
    createArtifact: { artifact: { id: string; state: string } };
  }>(
    "mutation CreateArtifact($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact { id state } } }",
    { input },
  );
  return createArtifact.artifact;
}

interface ManifestPlace {
  id: string;
  file: { uploadUrl?: string | null; uploadHeaders: string[] | null };
}

/** @param digest of the manifest, once it is known: then it is said where to put it */
async function createManifest(
  api: WandbApi,
  { entity, project, run }: RunPath,
  artifactID: string,
  digest: string | undefined,
): Promise<ManifestPlace> {
  const includeUpload = digest !== undefined;
  const { createArtifactManifest } = await api.graphql<{
    createArtifactManifest: { artifactManifest: ManifestPlace };
  }>(
    `mutation CreateArtifactManifest($artifactID: ID!, $name: String!, $digest: String!, $entityName: String!,
        $projectName: String!, $runName: String!, $includeUpload: Boolean!, $type: ArtifactManifestType!) {
      createArtifactManifest(input: {artifactID: $artifactID, name: $name, digest: $digest, entityName: $entityName,
          projectName: $projectName, runName: $runName, type: $type}) {
        artifactManifest {
          id
          file { id uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) }
        }
      }
    }`,
    {
      artifactID,
      name: MANIFEST,
      digest: digest ?? "",
      entityName: entity,
      projectName: project,
      runName: run,
      includeUpload,
      type: "FULL",
    },
  );
  return createArtifactManifest.artifactManifest;
}

interface FilePlace {
  /** None where the server has the file. */
  uploadUrl: string | null;
  uploadHeaders: string[] | null;
  artifact: { id: string };
}

async function createFiles(
  api: WandbApi,
  artifactID: string,
  artifactManifestID: string,
  entries: readonly MessageOf<"ManifestEntry">[],
): Promise<FilePlace[]> {
  const artifactFiles = entries.map(({ path, digest }) => ({
    artifactID,
    artifactManifestID,
    name: path,
    md5: digest,
  }));
  const { createArtifactFiles } = await api.graphql<{
    createArtifactFiles: { files: { edges: { node: FilePlace }[] } };
  }>(
    `mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) {
      createArtifactFiles(input: $input) {
        files { edges { node { uploadUrl uploadHeaders artifact { id } } } }
      }
    }`,
    { input: { artifactFiles, storageLayout: STORAGE_LAYOUT } },
  );
  return createArtifactFiles.files.edges.map(({ node }) => node);
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  await pipeline(createReadStream(path), hash);
  return hash.digest("base64");
}
