// Frames of a terminal as one SVG that moves by CSS: each line is drawn once, and frames use it.

/** @typedef {import("./frames.mjs").Frame} Frame */

const CELL = { width: 8.4, height: 18 };
const FONT = 14;
const MARGIN = 16;
const BAR = 34;
/** How long the last frame stays, in seconds. */
const REST = 8;

/** Of GitHub's themes, so that the picture stands in its pages. */
const COLOURS = {
  light: {
    paper: "#ffffff",
    bar: "#f6f8fa",
    line: "#d1d9e0",
    ink: "#1f2328",
    faint: "#59636e",
    mark: "#0969da",
  },
  dark: {
    paper: "#0d1117",
    bar: "#151b23",
    line: "#3d444d",
    ink: "#f0f6fc",
    faint: "#9198a1",
    mark: "#4493f8",
  },
};
/** Of a terminal's eight colours, by their number. @type {Record<string, [string, string]>} light, dark */
const ANSI = {
  1: ["#cf222e", "#ff7b72"],
  2: ["#116329", "#3fb950"],
  3: ["#7d4e00", "#d29922"],
  4: ["#0969da", "#58a6ff"],
  5: ["#8250df", "#bc8cff"],
  6: ["#1b7c83", "#39c5cf"],
};

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** @param {number} value */
const short = (value) => String(Number(value.toFixed(2)));

/** @param {number} seconds of the clock in the bar */
export function clock(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** @param {import("./screen.mjs").Run[]} runs of a line */
function drawn(runs) {
  const columns = runs.reduce((sum, { text }) => sum + text.length, 0);
  const spans = runs.map(({ text, look }) => {
    const names = [
      look.includes("b") && "b",
      look.includes("d") && "d",
      /\d/.exec(look)?.[0] && `c${/\d/.exec(look)?.[0]}`,
    ];
    const classes = names.filter(Boolean).join(" ");
    return classes === "" ? escaped(text) : `<tspan class="${classes}">${escaped(text)}</tspan>`;
  });
  // A grid whatever the font's width is.
  return `textLength="${short(columns * CELL.width)}">${spans.join("")}`;
}

/** @param {"light" | "dark"} theme */
function colours(theme) {
  const place = theme === "light" ? 0 : 1;
  const own = Object.entries(COLOURS[theme]).map(([name, value]) => `--${name}:${value}`);
  const ansi = Object.entries(ANSI).map(([number, pair]) => `--c${number}:${pair[place]}`);
  return `svg{${[...own, ...ansi].join(";")}}`;
}

/**
 * @param {readonly Frame[]} frames
 * @param {{ command: string, columns: number, rows: number, title: string }} options
 * @returns {string} SVG
 */
export function pictureOf(frames, { command, columns, rows, title }) {
  const width = Math.ceil(columns * CELL.width) + 2 * MARGIN;
  const height = BAR + (rows + 1) * CELL.height + 2 * MARGIN;
  const length = (frames.at(-1)?.at ?? 0) + REST;
  /** @type {Map<string, string>} */
  const lines = new Map();
  /** @param {import("./screen.mjs").Run[]} runs */
  const use = (runs) => {
    const text = drawn(runs);
    if (!lines.has(text)) lines.set(text, `l${lines.size.toString(36)}`);
    return lines.get(text);
  };
  const groups = frames.map(({ real, lines: shown }, index) => {
    const uses = shown.map((runs, row) =>
      runs.length === 0 ? "" : `<use href="#${use(runs)}" y="${(row + 1) * CELL.height}"/>`,
    );
    return `<g transform="translate(${index * width})">${uses.join("")}<text class="t" x="${width - 2 * MARGIN}" y="${short(FONT / 3 - BAR / 2 - MARGIN - CELL.height + 5)}">${clock(real)}</text></g>`;
  });
  const steps = frames.map(
    ({ at }, index) => `${short((100 * at) / length)}%{transform:translate(-${index * width}px)}`,
  );
  const rest = `translate(-${(frames.length - 1) * width}px)`;
  const ansi = Object.keys(ANSI).map((number) => `.c${number}{fill:var(--c${number})}`);
  const style = [
    colours("light"),
    `@media (prefers-color-scheme:dark){${colours("dark")}}`,
    `text{font:${FONT}px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink);white-space:pre}`,
    `.b{font-weight:600}.d,.t{fill:var(--faint)}.t{text-anchor:end}${ansi.join("")}`,
    `@keyframes f{${steps.join("")}100%{transform:${rest}}}`,
    `#f{animation:f ${short(length)}s steps(1,end) infinite}`,
    // Who wants nothing to move sees how it ends.
    `@media (prefers-reduced-motion:reduce){#f{animation:none;transform:${rest}}}`,
  ];
  const definitions = [...lines].map(([text, id]) => `<text id="${id}" ${text}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<style>${style.join("\n")}</style>
<defs>${definitions.join("\n")}</defs>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" style="fill:var(--paper);stroke:var(--line)"/>
<path d="M1 ${BAR}V9a8 8 0 0 1 8-8h${width - 18}a8 8 0 0 1 8 8v${BAR - 9}z" style="fill:var(--bar)"/>
<path d="M1 ${BAR}h${width - 2}" style="stroke:var(--line)"/>
<g transform="translate(${MARGIN} ${BAR + MARGIN + CELL.height - 5})"><text><tspan style="fill:var(--mark)">$</tspan> ${escaped(command)}</text><g id="f">${groups.join("\n")}</g></g>
</svg>
`;
}
