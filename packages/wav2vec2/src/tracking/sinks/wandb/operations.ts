import type { WandbApi } from "./api.js";

/** A run's place on a server. */
export interface RunPath {
  entity: string;
  project: string;
  run: string;
}

/** What a server has of a run. */
export interface ServerRun extends RunPath {
  /** The server's own name of it. */
  id: string;
  displayName: string;
  /** JSON: `{key: {value}}` */
  config: string | null;
  historyLineCount: number;
}

/** What a new process of a run must know to go on. */
export interface ResumeStatus {
  id: string;
  config: string | null;
  summaryMetrics: string | null;
  tags: readonly string[] | null;
  historyLineCount: number | null;
  eventsLineCount: number | null;
  logLineCount: number | null;
  /** JSON: lines of JSON */
  historyTail: string | null;
  eventsTail: string | null;
  /** JSON: of what W&B itself keeps in the config */
  wandbConfig: string | null;
}

/** What a server is told of a run. What is left out stays as it is there. */
export interface RunUpsert {
  id?: string | undefined;
  name: string;
  project: string;
  entity: string | undefined;
  /** JSON: `{key: {value}}` */
  config?: string;
  groupName?: string | undefined;
  displayName?: string | undefined;
  notes?: string | undefined;
  host?: string | undefined;
  program?: string | undefined;
  jobType?: string | undefined;
  tags?: readonly string[] | undefined;
}

/** Where to put a file, with which headers. */
export interface UploadPlace {
  name: string;
  url: string;
  headers: Record<string, string>;
}

interface Bucket {
  id: string;
  name: string;
  displayName: string | null;
  config: string | null;
  historyLineCount: number | null;
  project: { name: string; entity: { name: string } } | null;
}

const BUCKET = "id name displayName config historyLineCount project { name entity { name } }";

/** Whose key it is. @throws RefusedError with status 401 or 403 where it is nobody's */
export async function askViewer(api: WandbApi, within: number): Promise<{ entity: string | null }> {
  const { viewer } = await api.graphql<{ viewer: { entity: string | null } | null }>(
    "query Viewer { viewer { id entity username } }",
    {},
    within,
  );
  return viewer ?? { entity: null };
}

/** @returns nothing where the run is not there, or was made without ever having begun */
export async function askResumeStatus(
  api: WandbApi,
  { entity, project, name }: { entity: string | undefined; project: string; name: string },
  within: number,
): Promise<ResumeStatus | undefined> {
  const { model } = await api.graphql<{ model: { bucket: ResumeStatus | null } | null }>(
    `query RunResumeStatus($project: String, $entity: String, $name: String!) {
      model(name: $project, entityName: $entity) {
        bucket(name: $name, missingOk: true) {
          id config summaryMetrics tags historyLineCount eventsLineCount logLineCount historyTail eventsTail
          wandbConfig(keys: ["t"])
        }
      }
    }`,
    { project, entity, name },
    within,
  );
  const bucket = model?.bucket;
  const known = JSON.parse(bucket?.wandbConfig ?? "{}") as { t?: unknown };
  return bucket && known.t !== undefined ? bucket : undefined;
}

/** Makes a run on a server, or changes it. */
export async function upsertRun(api: WandbApi, run: RunUpsert, within?: number): Promise<ServerRun> {
  const answer = await api.graphql<{ upsertBucket: { bucket: Bucket } }>(
    `mutation UpsertBucket($id: String, $name: String, $project: String, $entity: String, $groupName: String,
        $displayName: String, $notes: String, $config: JSONString, $host: String, $program: String,
        $jobType: String, $tags: [String!]) {
      upsertBucket(input: {id: $id, name: $name, modelName: $project, entityName: $entity, groupName: $groupName,
          displayName: $displayName, notes: $notes, config: $config, host: $host, jobProgram: $program,
          jobType: $jobType, tags: $tags}) {
        bucket { ${BUCKET} }
        inserted
      }
    }`,
    run,
    within,
  );
  return described(answer.upsertBucket.bucket, run);
}

/** Removes what a run's history has behind a step. @throws RefusedError where the server cannot */
export async function rewindRun(
  api: WandbApi,
  { entity, project, name }: { entity: string | undefined; project: string; name: string },
  step: number,
): Promise<ServerRun> {
  const answer = await api.graphql<{ rewindRun: { rewoundRun: Bucket | null } | null }>(
    `mutation RewindRun($runName: String!, $entity: String, $project: String, $metricName: String!,
        $metricValue: Float!) {
      rewindRun(input: {runName: $runName, entityName: $entity, projectName: $project, metricName: $metricName,
          metricValue: $metricValue}) {
        rewoundRun { ${BUCKET} }
      }
    }`,
    { runName: name, entity, project, metricName: "_step", metricValue: step },
    api.timing.start,
  );
  const run = answer.rewindRun?.rewoundRun;
  if (!run) throw new Error("the run is not there");
  return described(run, { name, project, entity });
}

/** Says which files of a run will come. */
export async function createRunFiles(
  api: WandbApi,
  { entity, project, run }: RunPath,
  files: readonly string[],
): Promise<UploadPlace[]> {
  const { createRunFiles } = await api.graphql<{
    createRunFiles: { uploadHeaders: string[]; files: { name: string; uploadUrl: string }[] };
  }>(
    `mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
      createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
        uploadHeaders
        files { name uploadUrl }
      }
    }`,
    { entity, project, run, files },
  );
  const headers = parseHeaders(createRunFiles.uploadHeaders);
  return createRunFiles.files.map(({ name, uploadUrl }) => ({
    name,
    url: new URL(uploadUrl, api.baseUrl).href,
    headers,
  }));
}

/** From "Name:value". */
export function parseHeaders(lines: readonly string[] | null): Record<string, string> {
  return Object.fromEntries(
    (lines ?? []).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
}

function described(
  bucket: Bucket,
  asked: { name: string; project: string; entity: string | undefined },
): ServerRun {
  return {
    id: bucket.id,
    run: bucket.name,
    project: bucket.project?.name ?? asked.project,
    entity: bucket.project?.entity.name ?? asked.entity ?? "",
    displayName: bucket.displayName ?? bucket.name,
    config: bucket.config,
    historyLineCount: bucket.historyLineCount ?? 0,
  };
}
