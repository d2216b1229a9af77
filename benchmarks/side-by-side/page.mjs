// benchmarks/results.md: what was measured, on what, and how.
import { renderGoals } from "./goals.mjs";
import { ROWS } from "./programs.mjs";
import { renderTables, summarize } from "./table.mjs";

/** @returns {string} Markdown */
export function renderPage(store, options) {
  const { processor, family, model, cores, features, memoryGb, node, modules, threads } =
    store.content.machine;
  const runs = ROWS.flatMap(({ id }) => store.row(id).runs);
  const dates = runs.map(({ date }) => date.slice(0, 10)).sort();
  const commits = [...new Set(ROWS.flatMap(({ id }) => summarize(store.row(id))?.commits ?? []))];
  const libtorch = runs.find((run) => run.libtorch)?.libtorch;
  const versions = [
    `Node.js ${node.slice(1)}`,
    ...(libtorch ? [`libtorch ${libtorch}`] : []),
    ...Object.entries(modules).map(([name, version]) => `${name} ${version}`),
  ];
  const facts = [
    ["date", [...new Set([dates[0], dates.at(-1)])].join(" to ")],
    ["commit", commits.join(", ")],
    [
      "processor",
      `${processor} (family ${family}, model ${model}), ${cores} cores, ${features.join(", ")}, ${memoryGb.toFixed(0)} GB`,
    ],
    ["threads", threads],
    ["versions", versions.join(", ")],
  ];
  return `# Side by side

Written by \`node benchmarks/side-by-side.mjs\`, whose head says how. "This project takes" is its time (or memory) over that of
the row, at the same precision: below 1 it takes less. Processor seconds are those of all cores together: on a machine that does other
things too, they say more than the clock.

| | |
|---|---|
${facts.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}

${[renderGoals(store), renderTables(store, options)].filter((part) => part !== "").join("\n\n")}
`;
}
