import { useEffect, useState } from "preact/hooks";

/** What the address says to show: the list, a run, or several beside each other. */
export interface Place {
  runs: string[];
  tab: string;
}

/** The part of the address behind `#`, such as `#run=pretrain%2Fseed-0&tab=log`. */
export function hashOf({ runs, tab }: Partial<Place>): string {
  const query = new URLSearchParams((runs ?? []).map((id) => ["run", id]));
  if (tab) query.set("tab", tab);
  return `#${query}`;
}

export function placeOf(hash: string): Place {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  return { runs: [...new Set(query.getAll("run"))], tab: query.get("tab") ?? "" };
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return placeOf(hash);
}
