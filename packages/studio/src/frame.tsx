import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Connection } from "./live.js";
import { useTheme } from "./theme.js";

const ICONS = {
  wave: "M2 12h3l2-6 3 13 3.5-16 3 12 1.5-3h4",
  sun: "M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m0-11.4L4.9 4.9m14.2 14.2-1.4-1.4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  system: "M4 5h16v11H4zM9 20h6m-3-4v4",
} as const;

/** A small picture beside or instead of a word. */
export function Icon({ name }: { name: keyof typeof ICONS }) {
  return (
    <svg class="picture" viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[name]} />
    </svg>
  );
}

/** Says where the page is no longer told of changes. */
export function ConnectionNote({ connection }: { connection: Connection }) {
  // A connection that is there again at once need not be spoken of.
  const [isLost, setIsLost] = useState(false);
  useEffect(() => {
    if (connection !== "lost") {
      setIsLost(false);
      return;
    }
    const timer = setTimeout(() => setIsLost(true), 700);
    return () => clearTimeout(timer);
  }, [connection]);
  return (
    <span role="status" class={isLost ? "connection lost" : "connection"}>
      {isLost ? (
        "No connection, trying again"
      ) : connection === "open" ? (
        <span class="unseen">Connected</span>
      ) : (
        ""
      )}
    </span>
  );
}

const THEMES = { system: "as the system", light: "light", dark: "dark" } as const;
const NEXT = { system: "light", light: "dark", dark: "system" } as const;

export function ThemeSwitch() {
  const [theme, setTheme] = useTheme();
  const text = `Colours: ${THEMES[theme]}. Change to ${THEMES[NEXT[theme]]}`;
  return (
    <button type="button" class="icon" aria-label={text} title={text} onClick={() => setTheme(NEXT[theme])}>
      <Icon name={theme === "system" ? "system" : theme === "light" ? "sun" : "moon"} />
    </button>
  );
}

const KEYS: readonly [string, string][] = [
  ["/", "search in the list of runs"],
  ["H", "back to the list of runs"],
  ["?", "this help"],
  ["← →", "in a chart: read its values; with Shift: move along"],
  ["+ −", "in a chart: zoom in and out; 0: all of it"],
  ["L, T, F", "in a chart: logarithmic axis, table, full width"],
];

export function HelpDialog({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog ref={dialog} aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <p class="soft">
        With the mouse: drag over a chart to zoom in, double-click for all of it, Shift and drag to move, Ctrl
        and the wheel to zoom. All charts of a page move together.
      </p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
