import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

type Field = readonly [number: number, type: string, label?: "repeated"];

/**
 * The messages of W&B's wandb_internal.proto that a run needs, each field with its number and type. Where theirs is a wider
 * integer of the same encoding, a plain number is enough here; enumerations are their numbers.
 */
const MESSAGES = {
  Record: {
    num: [1, "int32"],
    history: [2, "History"],
    summary: [3, "Summary"],
    config: [5, "Config"],
    files: [6, "Files"],
    stats: [7, "Stats"],
    artifact: [8, "Artifact"],
    metric: [12, "Metric"],
    outputRaw: [13, "OutputRaw"],
    run: [17, "Run"],
    exit: [18, "Exit"],
    header: [21, "Header"],
    environment: [26, "Environment"],
  },
  Timestamp: { seconds: [1, "uint32"], nanos: [2, "int32"] },
  Item: { key: [1, "string"], nestedKey: [2, "string", "repeated"], valueJson: [16, "string"] },
  Step: { num: [1, "int32"] },
  History: { item: [1, "Item", "repeated"], step: [2, "Step"] },
  Summary: { update: [1, "Item", "repeated"] },
  Config: { update: [1, "Item", "repeated"] },
  File: { path: [1, "string"], policy: [2, "int32"], type: [3, "int32"] },
  Files: { files: [1, "File", "repeated"] },
  Stats: { timestamp: [2, "Timestamp"], item: [3, "Item", "repeated"] },
  OutputRaw: { outputType: [1, "int32"], timestamp: [2, "Timestamp"], line: [3, "string"] },
  MetricOptions: { stepSync: [1, "bool"], defined: [3, "bool"] },
  Metric: {
    name: [1, "string"],
    globName: [2, "string"],
    stepMetric: [4, "string"],
    options: [6, "MetricOptions"],
  },
  Run: {
    runId: [1, "string"],
    entity: [2, "string"],
    project: [3, "string"],
    config: [4, "Config"],
    runGroup: [6, "string"],
    jobType: [7, "string"],
    displayName: [8, "string"],
    notes: [9, "string"],
    tags: [10, "string", "repeated"],
    host: [13, "string"],
    startTime: [17, "Timestamp"],
    resume: [24, "bool"],
  },
  Exit: { exitCode: [1, "int32"], runtime: [2, "int32"] },
  VersionInfo: { producer: [1, "string"], minConsumer: [2, "string"] },
  Header: { versionInfo: [1, "VersionInfo"] },
  Memory: { total: [1, "int64"] },
  Environment: {
    os: [1, "string"],
    startedAt: [3, "Timestamp"],
    args: [5, "string", "repeated"],
    program: [6, "string"],
    root: [11, "string"],
    host: [12, "string"],
    executable: [14, "string"],
    cpuCountLogical: [17, "uint32"],
    memory: [21, "Memory"],
    writerId: [199, "string"],
  },
  ManifestEntry: {
    path: [1, "string"],
    digest: [2, "string"],
    size: [4, "int64"],
    localPath: [6, "string"],
    skipCache: [8, "bool"],
  },
  Manifest: {
    version: [1, "int32"],
    storagePolicy: [2, "string"],
    contents: [4, "ManifestEntry", "repeated"],
  },
  Artifact: {
    runId: [1, "string"],
    project: [2, "string"],
    entity: [3, "string"],
    type: [4, "string"],
    name: [5, "string"],
    digest: [6, "string"],
    metadata: [8, "string"],
    useAfterCommit: [10, "bool"],
    aliases: [11, "string", "repeated"],
    manifest: [12, "Manifest"],
    finalize: [14, "bool"],
    clientId: [15, "string"],
    sequenceClientId: [16, "string"],
  },
} as const satisfies Record<string, Record<string, Field>>;

type Messages = typeof MESSAGES;
interface Scalars {
  int32: number;
  uint32: number;
  int64: bigint;
  string: string;
  bool: boolean;
}
type Value<Type> = Type extends keyof Scalars
  ? Scalars[Type]
  : Type extends keyof Messages
    ? MessageOf<Type>
    : never;

/** A message by its name. Fields that were not written are absent, empty or 0. */
export type MessageOf<Name extends keyof Messages> = {
  -readonly [Key in keyof Messages[Name]]?: Messages[Name][Key] extends readonly [
    number,
    infer Type,
    "repeated",
  ]
    ? readonly Value<Type>[]
    : Messages[Name][Key] extends readonly [number, infer Type]
      ? Value<Type>
      : never;
};

/** What a run's log consists of: one of its fields beside `num` is there. */
export type WandbRecord = MessageOf<"Record">;

const SCALARS: Readonly<Record<string, FieldDescriptorProto_Type>> = {
  int32: FieldDescriptorProto_Type.INT32,
  uint32: FieldDescriptorProto_Type.UINT32,
  int64: FieldDescriptorProto_Type.INT64,
  string: FieldDescriptorProto_Type.STRING,
  bool: FieldDescriptorProto_Type.BOOL,
};

let described: DescMessage | undefined;

export function encodeRecord(record: WandbRecord): Uint8Array {
  const message = recordMessage();
  return toBinary(message, create(message, record as Record<string, unknown>));
}

/** @throws where the bytes are no record */
export function decodeRecord(bytes: Uint8Array): WandbRecord {
  return fromBinary(recordMessage(), bytes) as unknown as WandbRecord;
}

/** Milliseconds since 1970 as the messages hold them. */
export function timestampOf(time: number): MessageOf<"Timestamp"> {
  const seconds = Math.floor(time / 1000);
  return { seconds, nanos: Math.round((time - seconds * 1000) * 1e6) };
}

export function timeOf({ seconds = 0, nanos = 0 }: MessageOf<"Timestamp">): number {
  return seconds * 1000 + nanos / 1e6;
}

function recordMessage(): DescMessage {
  described ??= createFileRegistry(create(FileDescriptorSetSchema, { file: [descriptor()] })).getMessage(
    "wandb.Record",
  );
  return described!;
}

function descriptor(): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, {
    name: "wandb.proto",
    package: "wandb",
    syntax: "proto3",
    messageType: Object.entries<Record<string, Field>>(MESSAGES).map(([name, fields]) => ({
      name,
      field: Object.entries(fields).map(([field, [number, type, label]]) => ({
        name: field,
        number,
        label: label ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
        ...(type in SCALARS
          ? { type: SCALARS[type]! }
          : { type: FieldDescriptorProto_Type.MESSAGE, typeName: `.wandb.${type}` }),
      })),
    })),
  });
}
