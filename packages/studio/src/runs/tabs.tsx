import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

export interface Tab {
  id: string;
  title: string;
  content: () => ComponentChildren;
}

/** Parts of a page of which one is seen (https://www.w3.org/WAI/ARIA/apg/patterns/tabs). */
export function Tabs({
  tabs,
  chosen,
  onChoose,
}: {
  tabs: readonly Tab[];
  chosen: string;
  onChoose: (id: string) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  const current = tabs.find(({ id }) => id === chosen) ?? tabs[0];
  if (!current) return null;
  const move = (event: KeyboardEvent): void => {
    const index = tabs.indexOf(current);
    const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const tab = tabs[(next + tabs.length) % tabs.length]!;
    onChoose(tab.id);
    list.current?.querySelector<HTMLElement>(`#tab-${tab.id}`)?.focus();
  };
  return (
    <>
      <div ref={list} class="tabs" role="tablist" aria-label="Parts of the run">
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === current.id}
            aria-controls="panel"
            tabIndex={id === current.id ? 0 : -1}
            onClick={() => onChoose(id)}
            onKeyDown={move}
          >
            {title}
          </button>
        ))}
      </div>
      <div key={current.id} id="panel" role="tabpanel" aria-labelledby={`tab-${current.id}`}>
        <h2 class="unseen">{current.title}</h2>
        {current.content()}
      </div>
    </>
  );
}
