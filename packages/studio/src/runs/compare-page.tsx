import { useEffect, useMemo, useState } from "preact/hooks";
import { ChartGrid, type DrawnRun } from "../charts/chart-grid.js";
import { type ChartSpec, chartsOf, oneMetricEach, systemCharts } from "../charts/chart-specs.js";
import type { Zoom } from "../charts/zoom.js";
import { count, percent, short } from "../format.js";
import { hashOf } from "../location.js";
import { NumbersTable } from "../numbers-table.js";
import { useSetting } from "../settings.js";
import { type RunNow, toneAt, type XAxis } from "../shared.js";
import { axesOf, matches, useOverview } from "./run-page.js";
import { type Member, recipeDifferences, seedGroups, shortLabels } from "./seed-groups.js";
import { StateBadge } from "./state-badge.js";
import { Tabs } from "./tabs.js";
import { ChartToolbar } from "./toolbar.js";

/** Several runs over each other. */
export function ComparePage({
  ids,
  now,
  tab,
}: {
  ids: readonly string[];
  now: ReadonlyMap<string, RunNow | null>;
  tab: string;
}) {
  const [seeds, setSeeds] = useSetting("seeds");
  const [loaded, setLoaded] = useState<ReadonlyMap<string, Member>>(new Map());
  const members = useMemo(() => ids.flatMap((id) => loaded.get(id) ?? []), [ids.join(), loaded]);
  const groups = useMemo(() => seedGroups(members), [members]);
  const hasSeeds = groups.some(({ length }) => length > 1);
  const drawn = useMemo(
    () => drawnRuns(seeds === "together" ? groups : members.map((member) => [member])),
    [groups, members, seeds],
  );
  return (
    <>
      {ids.map((id) => (
        <Loader
          key={id}
          id={id}
          now={now.get(id)}
          onLoad={(member) => setLoaded((before) => new Map(before).set(id, member))}
        />
      ))}
      <h1>{ids.length} runs compared</h1>
      <Legend drawn={drawn} ids={ids} now={now} />
      {hasSeeds && (
        <label class="seeds">
          <input
            type="checkbox"
            checked={seeds === "together"}
            onChange={(event) => setSeeds(event.currentTarget.checked ? "together" : "apart")}
          />{" "}
          Seeds as one: their mean, and the range from the lowest to the highest
        </label>
      )}
      <Tabs
        chosen={tab}
        onChoose={(chosen) => {
          history.replaceState(null, "", hashOf({ runs: [...ids], tab: chosen }));
          dispatchEvent(new HashChangeEvent("hashchange"));
        }}
        tabs={[
          { id: "curves", title: "Curves", content: () => <ComparedCharts drawn={drawn} table="metrics" /> },
          { id: "recipes", title: "Recipes", content: () => <RecipeTable members={members} /> },
          { id: "numbers", title: "Numbers", content: () => <NumberTable members={members} /> },
          { id: "system", title: "System", content: () => <ComparedCharts drawn={drawn} table="system" /> },
        ]}
      />
    </>
  );
}

/** Reads one of the runs; draws nothing. */
function Loader({
  id,
  now,
  onLoad,
}: {
  id: string;
  now: RunNow | null | undefined;
  onLoad: (member: Member) => void;
}) {
  const { data } = useOverview(id, now);
  useEffect(() => {
    if (data) onLoad({ id, overview: data });
  }, [data]);
  return null;
}

/** Colours go round, dashed in the second round. */
function drawnRuns(groups: readonly Member[][]): DrawnRun[] {
  const labels = shortLabels(groups.map((members) => members.map(({ id }) => id)));
  return groups.map((members, index) => ({
    label: labels[index]!,
    tone: toneAt(index),
    dashed: index >= 8,
    members,
  }));
}

function Legend({
  drawn,
  ids,
  now,
}: {
  drawn: readonly DrawnRun[];
  ids: readonly string[];
  now: ReadonlyMap<string, RunNow | null>;
}) {
  const gone = ids.filter((id) => now.get(id) === null);
  return (
    <>
      <ul class="run-legend">
        {drawn.map(({ label, tone, dashed, members }) => (
          <li key={label}>
            <span class={`key tone${tone}${dashed ? " dashed" : ""}`} />
            <span>
              {members.map(({ id, overview }) => {
                const summary = now.get(id)?.summary ?? overview.summary;
                return (
                  <span key={id} class="member">
                    <a href={hashOf({ runs: [id] })}>{id}</a> <StateBadge state={summary.state} />
                    <a
                      class="remove"
                      href={hashOf({ runs: ids.filter((other) => other !== id) })}
                      aria-label={`Leave ${id} out`}
                      title="Leave out"
                    >
                      ×
                    </a>
                  </span>
                );
              })}
            </span>
          </li>
        ))}
      </ul>
      {gone.length > 0 && (
        <p class="gone" role="alert">
          No longer there: {gone.join(", ")}.
        </p>
      )}
    </>
  );
}

function ComparedCharts({ drawn, table }: { drawn: readonly DrawnRun[]; table: "metrics" | "system" }) {
  const [zoom, setZoom] = useState<Zoom>();
  const [search, setSearch] = useState("");
  const [wanted] = useSetting("x");
  const members = drawn.flatMap((run) => run.members);
  const names = members.map(({ overview }) => Object.keys(overview[table]).join()).join(";");
  const specs = useMemo((): ChartSpec[] => {
    // What a chart compares with can be another in each run; the first one's is drawn.
    const all = Object.assign({}, ...members.map(({ overview }) => overview[table]).reverse());
    return oneMetricEach(table === "metrics" ? chartsOf(all) : systemCharts(all));
  }, [names, table]);
  const shown = useMemo(
    () => specs.filter(({ title, curves }) => matches(search, [title, curves[0]!.metric])),
    [specs, search],
  );
  if (members.length === 0) return <p class="soft">Reading the runs…</p>;
  const axes: XAxis[] =
    table === "metrics" && members.every(({ overview }) => axesOf(overview).includes("audio"))
      ? ["step", "time", "audio"]
      : ["step", "time"];
  const x = axes.includes(wanted) ? wanted : "step";
  if (specs.length === 0) return <p class="empty">None of these runs tells of its machines.</p>;
  return (
    <>
      <ChartToolbar axes={axes} zoom={zoom} onZoom={setZoom} search={search} onSearch={setSearch} />
      <ChartGrid specs={shown} runs={drawn} x={x} zoom={zoom} onZoom={setZoom} />
    </>
  );
}

/** The keys in which the recipes differ, side by side. */
function RecipeTable({ members }: { members: readonly Member[] }) {
  const differences = recipeDifferences(members);
  if (differences.length === 0) return <p class="empty">The recipes are the same.</p>;
  return (
    <div class="scroll">
      <NumbersTable
        caption="Where the recipes differ"
        first="Key"
        others={members.map(({ id }) => id)}
        kind="numbers texts"
      >
        {differences.map(({ key, values }) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            {values.map((value, index) => (
              <td key={members[index]!.id}>{value ?? "–"}</td>
            ))}
          </tr>
        ))}
      </NumbersTable>
    </div>
  );
}

const NUMBERS: readonly {
  metric: string;
  title: string;
  of: "lowest" | "highest" | "latest";
  format: (value: number) => string;
}[] = [
  { metric: "eval/wer", title: "Best WER", of: "lowest", format: percent },
  { metric: "eval/cer", title: "Best CER", of: "lowest", format: percent },
  { metric: "eval/ctc_loss", title: "Lowest CTC loss in validation", of: "lowest", format: short },
  {
    metric: "eval/contrastive_loss",
    title: "Lowest contrastive loss in validation",
    of: "lowest",
    format: short,
  },
  { metric: "eval/accuracy", title: "Best accuracy", of: "highest", format: percent },
  {
    metric: "eval/codevector_perplexity",
    title: "Newest codevector perplexity",
    of: "latest",
    format: short,
  },
  { metric: "loss", title: "Newest training loss", of: "latest", format: short },
  { metric: "contrastive_loss", title: "Newest contrastive loss", of: "latest", format: short },
  {
    metric: "audio_seconds_per_second",
    title: "Speed (seconds of audio a second)",
    of: "latest",
    format: short,
  },
];

/** The numbers that stand out, a column each run. */
function NumberTable({ members }: { members: readonly Member[] }) {
  const value = (
    { overview }: Member,
    metric: string,
    of: "lowest" | "highest" | "latest",
  ): number | undefined => {
    const info = overview.metrics[metric];
    return of === "latest" ? info?.latest : info?.[of]?.value;
  };
  const rows = NUMBERS.map(({ metric, title, of, format }) => {
    const values = members.map((member) => value(member, metric, of));
    const finite = values.filter((one) => one !== undefined);
    const best = of === "lowest" ? Math.min(...finite) : of === "highest" ? Math.max(...finite) : undefined;
    return { title, values, format, best };
  }).filter(({ values }) => values.some((one) => one !== undefined));
  return (
    <div class="scroll">
      <NumbersTable
        caption="Numbers that stand out"
        first={<span class="unseen">Number</span>}
        others={members.map(({ id }) => id)}
      >
        <tr>
          <th scope="row">Steps</th>
          {members.map(({ id, overview }) => (
            <td key={id}>{count(overview.summary.step ?? 0)}</td>
          ))}
        </tr>
        {rows.map(({ title, values, format, best }) => (
          <tr key={title}>
            <th scope="row">{title}</th>
            {values.map((one, index) => (
              <td key={members[index]!.id} class={one !== undefined && one === best ? "best" : undefined}>
                {one === undefined ? "–" : format(one)}
              </td>
            ))}
          </tr>
        ))}
      </NumbersTable>
    </div>
  );
}
