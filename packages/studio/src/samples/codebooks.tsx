import { useEffect, useRef } from "preact/hooks";
import { get, path, useLoaded } from "../api.js";
import { count } from "../format.js";
import { NumbersTable } from "../numbers-table.js";
import { type CodebookUse, levelOf, percentOf, SCALE, SHARE_COLORS } from "../shared.js";

/** Which entries of the codebooks are in use over the validations: a map for each codebook. */
export function CodebookMaps({ id, version }: { id: string; version: string }) {
  const { data } = useLoaded(id, version, (signal) =>
    get<CodebookUse>(path("codebooks", { run: id }), signal),
  );
  const groups = data?.counts.at(-1)?.map((_, group) => group) ?? [];
  return (
    <section aria-label="Codebooks">
      <div class="toolbar">
        <p class="soft">
          Each line is an entry, the one most in use at the end on top. Validations go from left to right. A
          collapse shows as a map that turns empty but for a few strong lines.
        </p>
        <ColorScale />
      </div>
      <div class="charts">
        {data && groups.map((group) => <UseMap key={group} use={data} group={group} />)}
      </div>
    </section>
  );
}

function UseMap({ use: { steps, counts }, group }: { use: CodebookUse; group: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const columns = counts.map((validation) => validation[group]!);
  const last = columns.at(-1)!;
  const chosen = last.filter((entry) => entry > 0).length;
  useEffect(() => draw(canvas.current!, columns), [counts]);
  const summary = `${count(chosen)} of ${count(last.length)} entries chosen at the end`;
  return (
    <figure class="chart">
      <figcaption>
        <h3>Codebook {group}</h3>
        <span class="soft">{summary}</span>
      </figcaption>
      <canvas
        ref={canvas}
        class="map"
        role="img"
        aria-label={`Use of the entries of codebook ${group}, step ${count(steps[0]!)} to ${count(steps.at(-1)!)}: ${summary}`}
      />
      <div class="ends soft">
        <span>step {count(steps[0]!)}</span>
        <span>{count(steps.at(-1)!)}</span>
      </div>
      <details>
        <summary>As a table</summary>
        <div class="scroll">
          <NumbersTable
            caption={`Entries of codebook ${group} in use`}
            first="Step"
            others={["Entries chosen", "Share of the most frequent"]}
          >
            {steps.map((step, index) => {
              const entries = columns[index]!;
              const total = entries.reduce((sum, one) => sum + one, 0);
              return (
                <tr key={step}>
                  <th scope="row">{count(step)}</th>
                  <td>{entries.filter((one) => one > 0).length}</td>
                  <td>{total === 0 ? "–" : `${((Math.max(...entries) / total) * 100).toFixed(1)} %`}</td>
                </tr>
              );
            })}
          </NumbersTable>
        </div>
      </details>
    </figure>
  );
}

/** A pixel for each entry and validation; the stylesheet makes it large. */
function draw(canvas: HTMLCanvasElement, columns: readonly (readonly number[])[]): void {
  const last = columns.at(-1)!;
  const order = last.map((_, entry) => entry).sort((a, b) => last[b]! - last[a]!);
  canvas.width = columns.length;
  canvas.height = order.length;
  const context = canvas.getContext("2d")!;
  const picture = context.createImageData(canvas.width, canvas.height);
  for (const [x, entries] of columns.entries()) {
    const total = entries.reduce((sum, one) => sum + one, 0) || 1;
    for (const [y, entry] of order.entries())
      picture.data.set(
        SHARE_COLORS[levelOf((entries[entry]! / total) * order.length)]!,
        (y * canvas.width + x) * 4,
      );
  }
  context.putImageData(picture, 0, 0);
}

/** The scale with its marks, and what no colour means. */
function ColorScale() {
  const stops = SCALE.map(({ timesEven, color: [red, green, blue, opacity] }) => ({
    offset: percentOf(timesEven),
    color: `rgb(${red} ${green} ${blue})`,
    opacity: opacity / 255,
    text: timesEven === 1 ? "1" : `${timesEven}×`,
  }));
  return (
    <svg
      class="color-scale"
      viewBox="0 0 460 34"
      role="img"
      aria-label="Colours: blue for even use, purple for 8 times, orange for 64 times as much"
    >
      <defs>
        <linearGradient id="shares">
          {stops.map(({ offset, color, opacity }) => (
            <stop key={offset} offset={offset} stop-color={color} stop-opacity={opacity} />
          ))}
        </linearGradient>
      </defs>
      <rect x="0.5" y="1" width="13" height="13" class="outline" />
      <text x="20" y="12">
        not chosen
      </text>
      <text x="98" y="12">
        against even use
      </text>
      <rect x="215" y="1" width="220" height="13" fill="url(#shares)" class="outline-thin" />
      {stops.slice(1).map(({ offset, text }) => (
        <text key={offset} x={215 + (Number.parseInt(offset, 10) / 100) * 220} y="29" text-anchor="middle">
          {text}
        </text>
      ))}
    </svg>
  );
}
