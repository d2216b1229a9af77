import { chartScript } from "./charts/chart-script.js";
import { escapeHtml, scriptJson } from "./html.js";
import { playScript } from "./play-script.js";
import { pageStyle } from "./style.js";

export interface Page {
  /** What it is about, one word. */
  kind: string;
  title: string;
  /** Facts below the title. */
  about?: readonly string[];
  /** HTML; empty ones are left out. */
  sections: readonly string[];
  /** What its buttons play, by the name they have for it: data URLs, or paths relative to the page. */
  clips?: ReadonlyMap<string, string>;
  /** HTML behind everything else, such as scripts of its own. */
  end?: string;
}

/** One file without outside references, but for clips that lie beside it; readable in light and dark, on a phone and on paper. */
export function renderPage({ kind, title, about = [], sections, clips = new Map(), end = "" }: Page): string {
  const content = sections.filter(Boolean).join("\n");
  const facts = about.length > 0 ? `<p class="about">${escapeHtml(about.join(" · "))}</p>` : "";
  const scripts = [
    content.includes('<svg class="chart"') && `<script>${chartScript}</script>`,
    (clips.size > 0 || end !== "") &&
      `<script type="application/json" id="clips">${scriptJson(Object.fromEntries(clips))}</script>
<audio id="player" preload="none"></audio>
<script>${playScript}</script>`,
    end,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} – wav2vec2</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header><p>wav2vec2 ${kind}</p><h1>${escapeHtml(title)}</h1>${facts}</header>
${content}
</main>
${scripts.filter(Boolean).join("\n")}
</body>
</html>
`;
}
