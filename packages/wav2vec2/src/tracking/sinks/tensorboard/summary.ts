import type { Histogram } from "../../tracker.js";
import { bytes, type Field, float, integer, message, string } from "./protobuf.js";

// Values of a step as TensorBoard's own writer makes them; the numbers are those of its `summary.proto` and `tensor.proto`.

const DT_FLOAT = 1;
const DT_DOUBLE = 2;
const DT_STRING = 7;
/** What a time series holds, by which it is found (`DataClass`). */
const SCALAR = 1;
const TENSOR = 2;
const BLOB_SEQUENCE = 3;
const WAV = 11; // AudioPluginData.Encoding

export function scalar(tag: string, value: number): Field[] {
  return [
    string(1, tag),
    metadata("scalars", SCALAR),
    message(8, [integer(1, DT_FLOAT), shape(), float(5, value)]),
  ];
}

export function histogram(tag: string, { edges, counts }: Histogram): Field[] {
  const bins = counts.map((count, bin) => [edges[bin]!, edges[bin + 1]!, count]); // [bins, 3]
  return [
    string(1, tag),
    metadata("histograms", TENSOR),
    message(8, [
      integer(1, DT_DOUBLE),
      shape(bins.length, 3),
      bytes(4, new Uint8Array(Float64Array.from(bins.flat()).buffer)),
    ]),
  ];
}

/** @param text Markdown */
export function text(tag: string, text: string): Field[] {
  return [string(1, tag), metadata("text", TENSOR), strings([text], [])];
}

export function image(
  tag: string,
  { png, width, height }: { png: Uint8Array; width: number; height: number },
): Field[] {
  return [
    string(1, tag),
    metadata("images", BLOB_SEQUENCE),
    strings([String(width), String(height), png], [3]),
  ];
}

/** @param description Markdown; that of the first value is shown */
export function audio(tag: string, wav: Uint8Array, description: string): Field[] {
  return [
    string(1, tag),
    metadata("audio", BLOB_SEQUENCE, { content: [integer(2, WAV)], description }),
    strings([wav], [1]),
  ];
}

/** A value that is nothing but what its plugin is told. */
export function pluginData(tag: string, plugin: string, content: readonly Field[]): Field[] {
  return [
    string(1, tag),
    metadata(plugin, TENSOR, { content }),
    message(8, [integer(1, DT_FLOAT), shape(0)]),
  ];
}

function metadata(
  plugin: string,
  dataClass: number,
  { content = [], description }: { content?: readonly Field[]; description?: string } = {},
): Field {
  return message(9, [
    message(1, [string(1, plugin), message(2, content)]),
    ...(description === undefined ? [] : [string(3, description)]),
    integer(4, dataClass),
  ]);
}

function shape(...sizes: readonly number[]): Field {
  return message(
    2,
    sizes.map((size) => message(2, [integer(1, size)])),
  );
}

function strings(values: readonly (string | Uint8Array)[], sizes: readonly number[]): Field {
  return message(8, [
    integer(1, DT_STRING),
    shape(...sizes),
    ...values.map((value) => (typeof value === "string" ? string(8, value) : bytes(8, value))),
  ]);
}
