import { move, transferableSymbol, valueSymbol } from "piscina";
import { type BatchJob, type PreparedBatch, prepareBatch } from "./prepare-batch.js";

/** What threads run: {@link prepareBatch}, its arrays handed over instead of copied. */
export default async function prepare(job: BatchJob): Promise<PreparedBatch> {
  const prepared = await prepareBatch(job);
  const transferable = {
    [transferableSymbol]: buffersOf(prepared),
    [valueSymbol]: prepared,
  };
  return move(transferable as never) as never; // arrives as its value
}

function buffersOf({ batch }: PreparedBatch): ArrayBuffer[] {
  const buffers = Object.values(batch ?? {}).flatMap((value) =>
    ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
  return [...new Set(buffers)];
}
