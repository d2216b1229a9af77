type Json = Record<string, unknown>;

interface FileSpec {
  artifactID: string;
  name: string;
  md5: string;
}

/** An artifact as a Weights & Biases server keeps it. */
export interface ServerArtifact {
  id: string;
  input: Json;
  manifest: Json | undefined;
  files: Map<string, Buffer>;
  committed: boolean;
}

/** The artifacts of a Weights & Biases server and the operations that make them. */
export class ServerArtifacts {
  readonly all: ServerArtifact[] = [];

  constructor(readonly url: () => string) {}

  stored(id: string, file: string, bytes: Buffer): void {
    const artifact = this.all.find((one) => one.id === id)!;
    if (file === "wandb_manifest.json") artifact.manifest = JSON.parse(bytes.toString()) as Json;
    else artifact.files.set(file, bytes);
  }

  /** @returns nothing where it is no operation on artifacts */
  operation(name: string, variables: Json): Json | undefined {
    switch (name) {
      case "XXHashDigestsEnabled":
        return { entity: { xxhashDigestsEnabled: false } };
      case "FetchArtifactDigestAlgorithm":
      case "ArtifactType":
        return { project: null };
      case "CreateArtifact": {
        const input = (variables.input ?? variables) as Json; // older clients give single variables
        const same = this.all.find(({ input: { digest } }) => digest === input.digest);
        if (same) return { createArtifact: { artifact: described(same) } };
        const id = `artifact${this.all.length}`;
        const artifact = { id, input, manifest: undefined, files: new Map(), committed: false };
        this.all.push(artifact);
        return { createArtifact: { artifact: described(artifact) } };
      }
      case "CreateArtifactManifest": {
        const { artifactID, name: file, includeUpload } = variables;
        const where = {
          uploadUrl: `${this.url()}/storage/artifact/${artifactID}//${file}`,
          uploadHeaders: [],
        };
        const manifest = { id: "manifest", file: { id: "file", ...(includeUpload === true && where) } };
        return { createArtifactManifest: { artifactManifest: manifest } };
      }
      case "CreateArtifactFiles": {
        const { artifactFiles } = (variables.input ?? variables) as { artifactFiles: FileSpec[] };
        const edges = artifactFiles.map(({ artifactID, name: file, md5 }) => ({
          node: {
            id: file,
            displayName: file,
            storagePath: `wandb_artifacts/${file}`,
            uploadUrl: `${this.url()}/storage/artifact/${artifactID}//${encodeURI(file)}`,
            uploadHeaders: [`Content-MD5:${md5}`],
            uploadMultipartUrls: null,
            artifact: { id: artifactID },
          },
        }));
        return { createArtifactFiles: { files: { edges } } };
      }
      case "CommitArtifact": {
        const artifact = this.all.find(({ id }) => id === variables.artifactID)!;
        artifact.committed = true;
        return { commitArtifact: { artifact: { id: artifact.id, digest: artifact.input.digest } } };
      }
      default:
        return undefined;
    }
  }
}

function described({ id, committed }: ServerArtifact): Json {
  return { id, state: committed ? "COMMITTED" : "PENDING", artifactSequence: { latestArtifact: null } };
}
