import { useEffect, useRef, useState } from "preact/hooks";
import { onTokenNeeded } from "./api.js";
import { ConnectionNote, HelpDialog, Icon, ThemeSwitch } from "./frame.js";
import { type Live, useLive } from "./live.js";
import { hashOf, usePlace } from "./location.js";
import { ComparePage } from "./runs/compare-page.js";
import { RunList } from "./runs/run-list.js";
import { RunPage } from "./runs/run-page.js";
import { TokenForm } from "./token-form.js";

/** The whole page: what the address says, under one head. */
export function App() {
  const [isLocked, setIsLocked] = useState(false);
  useEffect(() => onTokenNeeded(() => setIsLocked(true)), []);
  useEffect(() => {
    // Event streams cannot say that the token is missing, other requests can.
    void fetch("/api/session").then(({ status }) => status === 401 && setIsLocked(true));
  }, []);
  return isLocked ? <TokenForm /> : <Dashboard />;
}

function Dashboard() {
  const place = usePlace();
  const live = useLive(true, place.runs);
  const help = useRef<HTMLDialogElement>(null);
  const main = useRef<HTMLElement>(null);
  const key = place.runs.join();
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [key]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "?") help.current?.showModal();
      else if (event.key === "h") location.hash = hashOf({});
      else if (event.key === "/") document.querySelector<HTMLInputElement>("input[type=search]")?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    const names = place.runs.map((id) => live.now.get(id)?.summary.name ?? id);
    document.title = `${names.length === 0 ? "Runs" : names.join(", ")} – wav2vec2`;
  });
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        To the content
      </button>
      <header class="top">
        <a class="brand" href={hashOf({})}>
          <Icon name="wave" />
          wav2vec2
        </a>
        <nav aria-label="Where you are">
          <ol class="crumbs">
            <li>
              <a href={hashOf({})} aria-current={place.runs.length === 0 ? "page" : undefined}>
                Runs
              </a>
            </li>
            {place.runs.length > 0 && (
              <li>
                <span aria-current="page">
                  {place.runs.length === 1 ? place.runs[0] : `${place.runs.length} runs compared`}
                </span>
              </li>
            )}
          </ol>
        </nav>
        <span class="top-tools">
          <ConnectionNote connection={live.connection} />
          <ThemeSwitch />
          <button
            type="button"
            class="icon"
            aria-label="Keys and help"
            title="Keys and help (?)"
            onClick={() => help.current?.showModal()}
          >
            ?
          </button>
        </span>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Content runs={place.runs} tab={place.tab} live={live} />
      </main>
      <HelpDialog dialog={help} />
    </>
  );
}

function Content({ runs, tab, live }: { runs: string[]; tab: string; live: Live }) {
  const [only, ...others] = runs;
  if (only === undefined) return <RunList runs={live.runs} />;
  if (others.length === 0) return <RunPage key={only} id={only} tab={tab} now={live.now.get(only)} />;
  return <ComparePage ids={runs} now={live.now} tab={tab} />;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches("input:not([type=checkbox], [type=range]), select, textarea")
  );
}
