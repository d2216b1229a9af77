import { useMemo, useState } from "preact/hooks";
import { get, path, useLoaded } from "../api.js";
import { ChartGrid } from "../charts/chart-grid.js";
import { chartsOf, systemCharts } from "../charts/chart-specs.js";
import type { Zoom } from "../charts/zoom.js";
import { hashOf } from "../location.js";
import { CodebookMaps } from "../samples/codebooks.js";
import { CodedClips } from "../samples/coded-clips.js";
import { Histograms } from "../samples/histograms.js";
import { Transcripts } from "../samples/transcripts.js";
import { useSetting } from "../settings.js";
import type { CodebookUse, RunNow, RunOverview, XAxis } from "../shared.js";
import { Findings } from "./findings.js";
import { LogTail } from "./log-tail.js";
import { RunHead } from "./run-head.js";
import { type Tab, Tabs } from "./tabs.js";
import { Tiles } from "./tiles.js";
import { ChartToolbar } from "./toolbar.js";

/** One run, live or finished. @param now null where it is gone, undefined until the server has spoken */
export function RunPage({ id, tab, now }: { id: string; tab: string; now: RunNow | null | undefined }) {
  const overview = useOverview(id, now);
  if (overview.data === undefined) {
    return now === null || overview.error ? (
      <p class="empty">There is no run {id} here, or no longer.</p>
    ) : (
      <p class="soft">Reading the run…</p>
    );
  }
  const run = { ...overview.data, summary: now?.summary ?? overview.data.summary };
  return (
    <>
      {now === null && (
        <p class="gone" role="alert">
          The directory of this run is gone. What is shown is what was last seen of it.
        </p>
      )}
      <RunHead overview={run} />
      <Findings overview={run} />
      <Tiles overview={run} />
      <Tabs
        tabs={tabsOf(id, run)}
        chosen={tab}
        onChoose={(chosen) =>
          history.replaceState(null, "", hashOf({ runs: [id], tab: chosen })) ??
          dispatchEvent(new HashChangeEvent("hashchange"))
        }
      />
    </>
  );
}

/** All of a run but curves and samples, anew whenever any of it is. */
export function useOverview(id: string, now: RunNow | null | undefined) {
  // It need not wait for the server's first event, which then says what is known.
  const version = now === undefined ? "unheard" : now === null ? "gone" : JSON.stringify(now.versions);
  return useLoaded(
    id,
    version,
    (signal) => get<RunOverview>(path("run", { run: id }), signal),
    ({ versions }) => JSON.stringify(versions),
  );
}

function tabsOf(id: string, overview: RunOverview): Tab[] {
  const { steps, versions, histograms, system, recipe } = overview;
  const has = (part: keyof typeof versions): boolean => !versions[part].endsWith(".0");
  const tabs: (Tab | false)[] = [
    { id: "curves", title: "Curves", content: () => <CurvesTab id={id} overview={overview} /> },
    steps.transcripts.length > 0 && {
      id: "transcripts",
      title: "Transcripts",
      content: () => <Transcripts id={id} steps={steps.transcripts} version={versions.transcripts} />,
    },
    steps.codedClips.length > 0 && {
      id: "clips",
      title: "Clips",
      content: () => <CodedClips id={id} steps={steps.codedClips} version={versions["coded-clips"]} />,
    },
    has("codebooks") && {
      id: "codebooks",
      title: "Codebooks",
      content: () => <CodebookMaps id={id} version={versions.codebooks} />,
    },
    histograms.length > 0 && {
      id: "histograms",
      title: "Histograms",
      content: () => <Histograms id={id} names={histograms} version={versions.histograms} />,
    },
    Object.keys(system).length > 0 && {
      id: "system",
      title: "System",
      content: () => <SystemTab id={id} overview={overview} />,
    },
    recipe !== "" && {
      id: "recipe",
      title: "Recipe",
      content: () => (
        <section aria-label="Recipe">
          <pre>{recipe}</pre>
        </section>
      ),
    },
    { id: "log", title: "Log", content: () => <LogTail id={id} version={versions.log} /> },
  ];
  return tabs.filter((tab) => tab !== false);
}

function CurvesTab({ id, overview }: { id: string; overview: RunOverview }) {
  const version = overview.versions.codebooks;
  const codebooks = useLoaded(version.endsWith(".0") ? undefined : id, version, (signal) =>
    get<CodebookUse>(path("codebooks", { run: id }), signal),
  );
  const entries = codebooks.data?.counts.at(-1)?.[0]?.length;
  const names = Object.keys(overview.metrics).join();
  const specs = useMemo(() => chartsOf(overview.metrics, entries), [names, entries]);
  return <Charts id={id} overview={overview} specs={specs} axes={axesOf(overview)} />;
}

function SystemTab({ id, overview }: { id: string; overview: RunOverview }) {
  const names = Object.keys(overview.system).join();
  const specs = useMemo(() => systemCharts(overview.system), [names]);
  return <Charts id={id} overview={overview} specs={specs} axes={["step", "time"]} />;
}

/** Axes that say something: runs of other programs may not tell how much audio they trained on. */
export function axesOf({ metrics }: RunOverview): XAxis[] {
  return "audio_seconds" in metrics ? ["step", "time", "audio"] : ["step", "time"];
}

function Charts({
  id,
  overview,
  specs,
  axes,
}: {
  id: string;
  overview: RunOverview;
  specs: ReturnType<typeof chartsOf>;
  axes: readonly XAxis[];
}) {
  const [zoom, setZoom] = useState<Zoom>();
  const [search, setSearch] = useState("");
  const [wanted] = useSetting("x");
  const x = axes.includes(wanted) ? wanted : "step";
  const shown = useMemo(
    () => specs.filter((spec) => matches(search, [spec.title, ...spec.curves.map(({ metric }) => metric)])),
    [specs, search],
  );
  const runs = useMemo(
    () => [{ label: overview.summary.name, tone: 1, dashed: false, members: [{ id, overview }] }],
    [id, overview],
  );
  if (specs.length === 0) return <p class="empty">No metrics yet.</p>;
  return (
    <>
      <ChartToolbar axes={axes} zoom={zoom} onZoom={setZoom} search={search} onSearch={setSearch} />
      <ChartGrid specs={shown} runs={runs} x={x} zoom={zoom} onZoom={setZoom} />
      {shown.length === 0 && <p class="empty">No chart has these words.</p>}
    </>
  );
}

/** Whether any of some texts has each of the words that are searched for. */
export function matches(search: string, texts: readonly string[]): boolean {
  const all = texts.join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
