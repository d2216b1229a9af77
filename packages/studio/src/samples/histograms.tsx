import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, path, useLoaded } from "../api.js";
import { count, short } from "../format.js";
import { NumbersTable } from "../numbers-table.js";
import type { HistogramSeries } from "../shared.js";
import { useScheme } from "../theme.js";
import { quantile, rebinned } from "./histogram-bins.js";

const ROWS = 80;
const TABLE_ROWS = 25;

/** How the values of weights and gradients are spread over training. */
export function Histograms({
  id,
  names,
  version,
}: {
  id: string;
  names: readonly string[];
  version: string;
}) {
  const [chosen, setChosen] = useState(names[0]!);
  const name = names.includes(chosen) ? chosen : names[0]!;
  const { data } = useLoaded(id, `${version} ${name}`, (signal) =>
    get<HistogramSeries>(path("histograms", { run: id, name }), signal),
  );
  return (
    <section aria-label="Histograms">
      <div class="toolbar">
        <label>
          Of{" "}
          <select value={name} onChange={(event) => setChosen(event.currentTarget.value)}>
            {names.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <span class="soft">The stronger the colour, the more values. Steps go from left to right.</span>
      </div>
      {data && data.steps.length > 0 && <HeatMap name={name} series={data} />}
    </section>
  );
}

function HeatMap({ name, series }: { name: string; series: HistogramSeries }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useScheme();
  const { low, high, columns } = useMemo(() => rebinned(series.histograms, ROWS), [series]);
  useEffect(() => {
    const element = canvas.current!;
    const ink = getComputedStyle(element).getPropertyValue("--one").trim();
    draw(element, columns, ink);
  }, [columns, scheme]);
  const { steps, histograms } = series;
  const every = Math.max(1, Math.ceil(steps.length / TABLE_ROWS));
  return (
    <figure class="chart wide">
      <figcaption>
        <h3>{name}</h3>
      </figcaption>
      <div class="heat">
        <span class="soft">{short(high)}</span>
        <canvas
          ref={canvas}
          class="map"
          role="img"
          aria-label={`Values of ${name} from ${short(low)} to ${short(high)} over steps ${count(steps[0]!)} to ${count(steps.at(-1)!)}`}
        />
        <span class="soft">{short(low)}</span>
      </div>
      <div class="ends soft">
        <span>step {count(steps[0]!)}</span>
        <span>{count(steps.at(-1)!)}</span>
      </div>
      <details>
        <summary>As a table</summary>
        <div class="scroll">
          <NumbersTable
            caption={`Spread of ${name}`}
            first="Step"
            others={["Lowest", "5 %", "Median", "95 %", "Highest"]}
          >
            {steps.map((step, index) => {
              if (index % every !== 0 && index !== steps.length - 1) return null;
              const { edges, counts } = histograms[index]!;
              return (
                <tr key={step}>
                  <th scope="row">{count(step)}</th>
                  <td>{short(edges[0]!)}</td>
                  {[0.05, 0.5, 0.95].map((share) => (
                    <td key={share}>{short(quantile({ edges, counts }, share))}</td>
                  ))}
                  <td>{short(edges.at(-1)!)}</td>
                </tr>
              );
            })}
          </NumbersTable>
        </div>
      </details>
    </figure>
  );
}

/** Each column by itself: its fullest box has all of the ink's colour. */
function draw(canvas: HTMLCanvasElement, columns: readonly Float64Array[], ink: string): void {
  canvas.width = columns.length;
  canvas.height = ROWS;
  const context = canvas.getContext("2d")!;
  context.fillStyle = ink;
  for (const [x, column] of columns.entries()) {
    const most = Math.max(...column) || 1;
    for (const [row, amount] of column.entries()) {
      context.globalAlpha = Math.sqrt(amount / most);
      context.fillRect(x, ROWS - 1 - row, 1, 1);
    }
  }
}
