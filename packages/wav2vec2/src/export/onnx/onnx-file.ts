import { open } from "node:fs/promises";
import { basename } from "node:path";
import { version } from "../../version.js";
import type { Graph } from "./graph.js";
import { type External, entry, message, type Part, tensorProto } from "./messages.js";

/** A protobuf message holds at most 2 GB; weights of larger models lie in a file beside it. */
const MOST_IN_MESSAGE = 1.9e9;
/** Where external values begin: on a page, so that they can be mapped. */
const PAGE = 4096;

/**
 * Writes a graph to a file that ends in `.onnx`, and its weights to one beside it that ends in `.onnx_data` where they do
 * not fit a message.
 *
 * @throws the error of the file system, such as ENOSPC
 */
export async function writeOnnx(path: string, graph: Graph): Promise<{ external: boolean }> {
  const { constants } = graph;
  const size = constants.reduce((sum, { values }) => sum + values.byteLength, 0);
  const external = size > MOST_IN_MESSAGE;
  const places = external ? outside(`${basename(path)}_data`, constants) : undefined;
  const initializers = constants.map(({ name, type, shape, values }, index) =>
    message(5, tensorProto(name, type, shape, values, places?.[index])),
  );
  await writeParts(path, graph.model(initializers, `wav2vec2 ${version()}`));
  if (external)
    await writeParts(
      `${path}_data`,
      constants.flatMap(({ values }) => [values, padding(values)]),
    );
  return { external };
}

/** What an ONNX file says of itself, to be appended to it: a message may have its fields in any order. */
export function metadataBytes(metadata: Readonly<Record<string, string>>): Uint8Array {
  const properties = Object.entries(metadata).map(([key, value]) => message(14, entry(key, value)));
  return Buffer.concat(properties.flat());
}

function padding({ byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(-byteLength & (PAGE - 1));
}

function outside(file: string, constants: Graph["constants"]): External[] {
  let end = 0;
  return constants.map(({ values }) => {
    const offset = end;
    end += Math.ceil(values.byteLength / PAGE) * PAGE;
    return { file, offset };
  });
}

async function writeParts(path: string, pieces: Part): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}
