/** The report's stylesheet. Colours are picked for a contrast of at least 4.5 on both backgrounds. */
export const reportStyle = `
:root { --back: #f7f8fa; --card: #fff; --text: #1c2430; --soft: #5b6675; --line: #dfe4ea; --one: #1d5fd1; --two: #c2500a; --three: #1a7f37; --four: #8a3ab9; --bad: #b3261e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12161c; --card: #1b212a; --text: #e6eaf0; --soft: #9aa6b5; --line: #313a46; --one: #7fb0ff; --two: #ffab70; --three: #63d586; --four: #d6a6f5; --bad: #ff9b93; --good: #63d586; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
header p { margin: 0; color: var(--soft); }
h1 { margin: 0 0 20px; font-size: 28px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 32px 0 12px; font-size: 19px; }
.findings { margin: 0 0 12px; padding: 14px 18px; background: var(--card); border: 1px solid var(--bad); border-left-width: 6px; border-radius: 10px; overflow-wrap: anywhere; }
.findings h2 { margin: 0 0 8px; color: var(--bad); }
.findings ul { margin: 0; padding: 0; list-style: none; }
.findings li { margin-bottom: 8px; }
.findings p { margin: 0; color: var(--soft); font-size: 14px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 0 0 12px; }
.tiles > div, figure, table, pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles > div { padding: 12px 16px; }
dt, .detail { color: var(--soft); font-size: 14px; }
dd { margin: 0; font-size: 26px; font-weight: 600; line-height: 1.3; }
dd.detail { font-weight: 400; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 12px; }
figure { margin: 0; padding: 12px 14px 6px; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; }
.key { color: var(--soft); font-size: 14px; }
.key::before { content: ""; display: inline-block; width: 14px; height: 3px; margin-right: 6px; vertical-align: middle; background: currentColor; }
.key.tone1::before { background: var(--one); }
.key.tone2::before { background: var(--two); }
.key.tone3::before { background: var(--three); }
.key.tone4::before { background: var(--four); }
.key-text, .legend { color: var(--soft); font-size: 14px; }
.legend { margin: 0 0 12px; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); }
.tick { fill: var(--soft); }
.note { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.tone1 { stroke: var(--one); }
.line.tone2 { stroke: var(--two); }
.line.tone3 { stroke: var(--three); }
.line.tone4 { stroke: var(--four); }
.reference { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 6 5; }
.band { fill: var(--good); opacity: 0.13; }
.dot { stroke: var(--card); stroke-width: 1; }
.dot.tone1 { fill: var(--one); }
.dot.tone2 { fill: var(--two); }
.dot.tone3 { fill: var(--three); }
.dot.tone4 { fill: var(--four); }
.hit { fill: transparent; }
.map { display: block; width: 100%; height: 320px; margin-top: 8px; image-rendering: pixelated; border: 1px solid var(--line); }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: 12px; padding: 2px 0 4px; }
.scale { display: flex; flex-wrap: wrap; gap: 4px 10px; margin: 0 0 18px; color: var(--soft); font-size: 14px; line-height: 1; }
.scale i { display: inline-block; width: 14px; height: 14px; margin-right: 16px; border: 1px solid var(--line); }
.scale div { position: relative; width: 220px; height: 30px; }
.scale div i { width: 100%; }
.scale div span { position: absolute; top: 18px; transform: translateX(-50%); font-size: 12px; white-space: nowrap; }
.scale div span:last-child { transform: translateX(-100%); }
.swatch { display: inline-block; width: 14px; height: 10px; margin: 0 6px 0 16px; vertical-align: baseline; }
.swatch:first-child { margin-left: 0; }
.swatch.masked { background: var(--two); opacity: 0.3; }
.swatch.found { background: var(--good); }
.swatch.missed { background: var(--bad); height: 4px; }
.clip { margin-bottom: 12px; padding-bottom: 12px; }
.tracks { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 12px; align-items: center; margin-top: 8px; }
.tracks > span { color: var(--soft); font-size: 13px; }
.tracks .wave { height: 76px; }
.tracks .strip { height: 20px; shape-rendering: crispEdges; }
.tracks .marks { height: 14px; shape-rendering: crispEdges; }
.masked { fill: var(--two); opacity: 0.25; }
.sound { fill: var(--one); stroke: var(--one); stroke-width: 1; vector-effect: non-scaling-stroke; }
.found { fill: var(--good); }
.missed { fill: var(--bad); }
.time { position: relative; height: 18px; color: var(--soft); font-size: 12px; }
.time span { position: absolute; }
table { width: 100%; border-collapse: separate; border-spacing: 0; }
th, td { padding: 8px 14px; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
tr:first-child > * { border-top: 0; }
th { color: var(--soft); font-weight: 400; font-size: 14px; white-space: nowrap; width: 1%; }
td:last-child { color: var(--good); }
td div { font-family: ui-monospace, monospace; font-size: 14px; overflow-wrap: anywhere; }
.who { display: inline-block; width: 6.5em; color: var(--soft); font-family: system-ui, sans-serif; }
mark, del { background: none; color: var(--bad); }
mark { text-decoration: underline; text-underline-offset: 3px; }
pre { margin: 0; padding: 14px 16px; overflow-x: auto; font-size: 14px; line-height: 1.45; }
@media (max-width: 600px) { .tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); } .charts svg { font-size: 15px; overflow: visible; } th { display: block; padding-bottom: 0; } td { display: block; border-top: 0; padding-top: 2px; } td:last-child { display: none; } .tracks { grid-template-columns: minmax(0, 1fr); gap: 0; } .tracks > span:empty { display: none; } .map { height: 240px; } }
`;
