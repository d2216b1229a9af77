import { useEffect, useState } from "preact/hooks";
import type { XAxis } from "./shared.js";

/** What a browser remembers between visits. */
export interface Settings {
  theme: "system" | "light" | "dark";
  x: XAxis;
  /** Weight of the moving average, from 0 to below 1. */
  smoothing: number;
  /** Whether runs that differ only in their seed are drawn as one. */
  seeds: "together" | "apart";
}

const DEFAULTS: Settings = { theme: "system", x: "step", smoothing: 0.6, seeds: "together" };
const listeners = new Map<string, Set<() => void>>();

/** A setting and what changes it, for all parts of the page alike. */
export function useSetting<Name extends keyof Settings>(
  name: Name,
): [Settings[Name], (value: Settings[Name]) => void] {
  const [value, setValue] = useState(() => read(name));
  useEffect(() => {
    const own = listeners.get(name) ?? new Set();
    listeners.set(name, own);
    const changed = (): void => setValue(read(name));
    own.add(changed);
    return () => {
      own.delete(changed);
    };
  }, [name]);
  return [
    value,
    (next) => {
      localStorage.setItem(`wav2vec2.${name}`, JSON.stringify(next));
      for (const changed of listeners.get(name) ?? []) changed();
    },
  ];
}

function read<Name extends keyof Settings>(name: Name): Settings[Name] {
  try {
    return (
      (JSON.parse(localStorage.getItem(`wav2vec2.${name}`) ?? "null") as Settings[Name]) ?? DEFAULTS[name]
    );
  } catch {
    return DEFAULTS[name];
  }
}
