import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { get, path, useLoaded } from "../api.js";
import type { LogTail as Tail } from "../shared.js";

/** The end of a run's log. It follows what comes while one looks at its end. */
export function LogTail({ id, version }: { id: string; version: string }) {
  const { data } = useLoaded(id, version, (signal) => get<Tail>(path("log", { run: id }), signal));
  const [follows, setFollows] = useState(true);
  const box = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [data, follows]);
  if (data === undefined) return <p class="soft">Reading the log…</p>;
  if (data.text === "") return <p class="empty">This run has no log.</p>;
  return (
    <section aria-label="Log">
      <div class="toolbar">
        <label>
          <input
            type="checkbox"
            checked={follows}
            onChange={(event) => setFollows(event.currentTarget.checked)}
          />{" "}
          Follow what comes
        </label>
        {data.cut && <span class="soft">The end of log.txt; the rest stands in the file.</span>}
      </div>
      <pre
        ref={box}
        class="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keys
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
          setFollows(scrollHeight - scrollTop - clientHeight < 8)
        }
      >
        {data.text}
      </pre>
    </section>
  );
}
