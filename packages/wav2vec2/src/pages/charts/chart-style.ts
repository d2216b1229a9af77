import { type ColorName, TONES } from "../colors.js";

/** How the parts of a chart look. @param color what stands for a colour there */
export function chartStyle(color: (name: ColorName) => string): string {
  const tones = TONES.map((name, index) => {
    const tone = `tone${index + 1}`;
    return `.line.${tone} { stroke: ${color(name)}; } .dot.${tone} { fill: ${color(name)}; } .range.${tone} { fill: ${color(name)}; stroke: ${color(name)}; }`;
  });
  return `.grid { stroke: ${color("line")}; }
.tick { fill: ${color("soft")}; }
.note { paint-order: stroke; stroke: ${color("card")}; stroke-width: 4px; stroke-linejoin: round; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.dashed { stroke-dasharray: 7 4; }
.range { opacity: 0.22; stroke-width: 1; stroke-linejoin: round; }
.dot { stroke: ${color("card")}; stroke-width: 1; }
.reference { fill: none; stroke: ${color("soft")}; stroke-width: 1.5; stroke-dasharray: 6 5; }
.band { fill: ${color("good")}; opacity: 0.13; }
${tones.join("\n")}`;
}
