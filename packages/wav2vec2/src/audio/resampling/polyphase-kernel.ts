import { instantiate } from "../../kernels/instantiate.js";
import { POLYPHASE } from "../../kernels/polyphase.generated.js";
import type { PolyphaseFilter } from "./polyphase-filter.js";

/** kernels/polyphase.ts; addresses in bytes. */
interface Kernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  convert(
    signal: number,
    rows: number,
    out: number,
    count: number,
    phase: number,
    up: number,
    down: number,
    taps: number,
  ): void;
}

/** Where a filter's rows are, and which of them are computed. */
interface Table {
  address: number;
  made: Uint8Array;
  missing: number;
}

const FLOAT = 4; // bytes
const PAGE = 2 ** 16; // bytes
const BATCH = 2 ** 14; // output samples of one call
// Bytes of filters that are kept. One row of a larger one is: only ratios as odd as 32000 / 63999 have such.
const MAX_KEPT = 2 ** 25;

// One memory serves all filters of a thread: signal and output at its beginning, the rows of filters behind them.
let kernel: Kernel | undefined;
let scratch = 2 ** 18;
let end = scratch;
let tables = new WeakMap<PolyphaseFilter, Table>();

/**
 * @param phase of the first output sample
 * @param signal what lies under the filter at the first output sample, and all that follows
 * @param output written from its beginning to its end, for which the signal must be long enough
 */
export function applyFilter(
  filter: PolyphaseFilter,
  phase: number,
  signal: Float32Array,
  output: Float32Array,
): void {
  const { up, down, taps } = filter;
  const isKept = up * taps * FLOAT <= MAX_KEPT;
  const batch = isKept ? BATCH : 1;
  for (let done = 0; done < output.length; done += batch) {
    const count = Math.min(batch, output.length - done);
    const position = phase + done * down;
    const from = Math.floor(position / up);
    const last = Math.floor((position + (count - 1) * down) / up);
    const part = signal.subarray(from, last + taps);
    // Where the signal ends before the last row does, what it is multiplied with is 0: it must be finite.
    const out = FLOAT * (last - from + taps);
    kernel ??= instantiate<Kernel>(POLYPHASE);
    reserve(kernel, out + FLOAT * count);
    const rows = isKept
      ? rowsOf(kernel, filter, position % up, count)
      : oneRow(kernel, filter, position % up);
    const { buffer } = kernel.memory;
    const input = new Float32Array(buffer, 0, last - from + taps);
    input.set(part);
    input.fill(0, part.length);
    kernel.convert(0, rows, out, count, isKept ? position % up : 0, up, down, taps);
    output.set(new Float32Array(buffer, out, count), done);
  }
}

/** Makes room for a signal and an output. */
function reserve(kernel: Kernel, bytes: number): void {
  if (bytes <= scratch) return;
  scratch = 2 * PAGE * Math.ceil(bytes / PAGE);
  forget();
  grow(kernel, scratch);
}

function forget(): void {
  tables = new WeakMap();
  end = scratch;
}

function grow({ memory }: Kernel, bytes: number): void {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (pages > 0) memory.grow(pages);
}

/** @returns the address of a filter's rows, of which those of `count` output samples are computed */
function rowsOf(kernel: Kernel, filter: PolyphaseFilter, phase: number, count: number): number {
  const { up, down, taps } = filter;
  let table = tables.get(filter);
  if (!table) {
    const size = FLOAT * up * taps;
    if (end - scratch + size > MAX_KEPT) forget();
    table = { address: end, made: new Uint8Array(up), missing: up };
    end += size;
    grow(kernel, end);
    tables.set(filter, table);
  }
  const { address, made } = table;
  for (let i = 0, at = phase; table.missing > 0 && i < Math.min(count, up); i++, at = (at + down) % up) {
    if (made[at]) continue;
    new Float32Array(kernel.memory.buffer, address + FLOAT * at * taps, taps).set(filter.row(at));
    made[at] = 1;
    table.missing--;
  }
  return address;
}

/** @returns the address of a row, behind all that are kept */
function oneRow(kernel: Kernel, filter: PolyphaseFilter, phase: number): number {
  grow(kernel, end + FLOAT * filter.taps);
  new Float32Array(kernel.memory.buffer, end, filter.taps).set(filter.row(phase));
  return end;
}
