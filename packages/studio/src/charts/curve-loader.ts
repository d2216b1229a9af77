import { get, path } from "../api.js";
import type { Curve, Curves, XAxis } from "../shared.js";

export interface CurveRequest {
  run: string;
  table: "metrics" | "system";
  x: XAxis;
  from?: number | undefined;
  to?: number | undefined;
  columns: number;
  smoothing: number;
}

export interface LoadedCurves {
  /** The end of the x axis of the whole run. */
  last: number;
  curves: Record<string, Curve>;
}

interface Batch {
  names: Set<string>;
  answer: Promise<Curves>;
}

const waiting = new Map<string, Batch>();

/** Loads curves of a run. What charts want in the same moment is asked for at once. */
export async function loadCurves(request: CurveRequest, names: readonly string[]): Promise<LoadedCurves> {
  const key = JSON.stringify(request);
  let batch = waiting.get(key);
  if (!batch) {
    const wanted = new Set<string>();
    const answer = new Promise((done) => setTimeout(done)).then(() => {
      waiting.delete(key);
      return get<Curves>(path("curves", { ...request, name: [...wanted] }));
    });
    batch = { names: wanted, answer };
    waiting.set(key, batch);
  }
  for (const name of names) batch.names.add(name);
  const { curves, last } = await batch.answer;
  const wanted = names.flatMap((name) => (curves[name] ? [[name, curves[name]] as const] : []));
  return { last, curves: Object.fromEntries(wanted) };
}
