import { useEffect, useMemo, useState } from "preact/hooks";
import { ago, count, percent, short } from "../format.js";
import { hashOf } from "../location.js";
import { type RunSummary, TASK_NAMES } from "../shared.js";
import { StateBadge } from "./state-badge.js";

/** More rows than this are shown when asked for: nobody reads them, and they cost time at every change. */
const MOST_ROWS = 200;
const TICK_MS = 5_000;

type Order = "updated" | "name" | "step" | "loss" | "wer";

const ORDERS: Record<Order, { title: string; value: (run: RunSummary) => number | string; rising: boolean }> =
  {
    name: { title: "Run", value: ({ id }) => id, rising: true },
    step: { title: "Steps", value: ({ step }) => step ?? -1, rising: false },
    loss: { title: "Loss", value: ({ loss }) => loss ?? Number.POSITIVE_INFINITY, rising: true },
    wer: { title: "WER", value: ({ wer }) => wer ?? Number.POSITIVE_INFINITY, rising: true },
    updated: { title: "Last sign", value: ({ updated }) => updated, rising: false },
  };

/** All runs below the directory, to find one or choose several. */
export function RunList({ runs }: { runs: ReadonlyMap<string, RunSummary> | undefined }) {
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<Order>("updated");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [most, setMost] = useState(MOST_ROWS);
  const now = useNow();
  const found = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...(runs?.values() ?? [])].filter((run) => {
      const text = `${run.id} ${run.name} ${run.state} ${run.task ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    return sorted(all, order);
  }, [runs, search, order]);
  if (runs === undefined) return <p class="soft">Looking for runs…</p>;
  const chosen = [...selected].filter((id) => runs.has(id));
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  return (
    <>
      <div class="list-head">
        <h1>Runs</h1>
        <label class="search">
          <span class="unseen">Search in names, states and tasks</span>
          <input
            type="search"
            placeholder="Search: digits, running, pretrain…"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
        <span class="soft" role="status">
          {found.length === runs.size
            ? `${count(runs.size)} ${runs.size === 1 ? "run" : "runs"}`
            : `${count(found.length)} of ${count(runs.size)} runs`}
        </span>
      </div>
      {runs.size === 0 ? (
        <p class="empty">There is no run here yet. This page shows one as soon as it begins.</p>
      ) : (
        <div class="scroll list">
          <table class="runs">
            <caption class="unseen">Runs, {ORDERS[order].title.toLowerCase()} first</caption>
            <thead>
              <tr>
                <th scope="col" class="choose">
                  <span class="unseen">Compare</span>
                </th>
                <Heading name="name" order={order} setOrder={setOrder} />
                <th scope="col">State</th>
                <th scope="col">Task</th>
                <Heading name="step" order={order} setOrder={setOrder} />
                <Heading name="loss" order={order} setOrder={setOrder} />
                <Heading name="wer" order={order} setOrder={setOrder} />
                <Heading name="updated" order={order} setOrder={setOrder} />
              </tr>
            </thead>
            <tbody>
              {found.slice(0, most).map((run) => (
                <Row
                  key={run.id}
                  run={run}
                  now={now}
                  isChosen={selected.has(run.id)}
                  onChoose={() => toggle(run.id)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.length > most && (
        <button type="button" class="more" onClick={() => setMost(most * 5)}>
          Show more of {count(found.length)}
        </button>
      )}
      {chosen.length > 0 && (
        <section class="selection" aria-label="Chosen runs">
          <span>{chosen.length === 1 ? "1 run chosen" : `${chosen.length} runs chosen`}</span>
          <a class="button" href={hashOf({ runs: chosen })}>
            {chosen.length === 1 ? "Open" : "Compare"}
          </a>
          <button type="button" onClick={() => setSelected(new Set())}>
            Choose none
          </button>
        </section>
      )}
    </>
  );
}

function Heading({ name, order, setOrder }: { name: Order; order: Order; setOrder: (order: Order) => void }) {
  const { title, rising } = ORDERS[name];
  const isOwn = order === name;
  return (
    <th scope="col" class={name} aria-sort={isOwn ? (rising ? "ascending" : "descending") : undefined}>
      <button type="button" class="heading" onClick={() => setOrder(name)}>
        {title}
        <span aria-hidden="true">{isOwn ? (rising ? " ↑" : " ↓") : ""}</span>
      </button>
    </th>
  );
}

function Row({
  run,
  now,
  isChosen,
  onChoose,
}: {
  run: RunSummary;
  now: number;
  isChosen: boolean;
  onChoose: () => void;
}) {
  const { id, name, state, task, step, steps, loss, wer, accuracy, updated, findings } = run;
  const cut = id.lastIndexOf("/") + 1;
  const [folder, directory] = [id.slice(0, cut), id.slice(cut)];
  return (
    <tr class={isChosen ? "chosen" : undefined}>
      <td class="choose">
        <input type="checkbox" aria-label={`Choose ${id}`} checked={isChosen} onChange={onChoose} />
      </td>
      <th scope="row" class="name">
        <a href={hashOf({ runs: [id] })}>
          <span class="soft">{folder}</span>
          {name}
        </a>
        {directory !== name && id !== "." && <span class="soft directory">in {directory}</span>}
        {findings > 0 && (
          <span class="finding-count" title="What looked wrong">
            {findings === 1 ? "1 finding" : `${findings} findings`}
          </span>
        )}
      </th>
      <td class="state">
        <StateBadge state={state} />
      </td>
      <td class="task">{task && TASK_NAMES[task]}</td>
      <td class="step">
        {step === undefined ? "" : count(step)}
        {steps !== undefined && (
          <>
            <span class="soft"> of {count(steps)}</span>
            <progress aria-label="Steps done" max={steps} value={Math.min(steps, step ?? 0)} />
          </>
        )}
      </td>
      <td class="loss" data-label="loss">
        {loss === undefined ? "" : short(loss)}
      </td>
      <td class="wer" data-label={wer === undefined ? "" : "WER"}>
        {wer !== undefined
          ? percent(wer)
          : accuracy !== undefined && <span class="soft">acc. {percent(accuracy)}</span>}
      </td>
      <td class="updated">{ago(now - updated)}</td>
    </tr>
  );
}

function sorted(runs: RunSummary[], order: Order): RunSummary[] {
  const { value, rising } = ORDERS[order];
  return runs.sort((a, b) => {
    const [one, two] = [value(a), value(b)];
    const rank = one < two ? -1 : one > two ? 1 : a.id < b.id ? -1 : 1;
    return one === two || rising ? rank : -rank;
  });
}

/** The time, every few seconds. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
