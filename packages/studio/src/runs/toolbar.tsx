import { X_AXES } from "../charts/axes.js";
import type { Zoom } from "../charts/zoom.js";
import { useSetting } from "../settings.js";
import type { XAxis } from "../shared.js";

const STRONGEST = 0.99;

/** What holds for all charts of a page. */
export function ChartToolbar({
  axes,
  zoom,
  onZoom,
  search,
  onSearch,
}: {
  axes: readonly XAxis[];
  zoom: Zoom;
  onZoom: (zoom: Zoom) => void;
  search: string;
  onSearch: (search: string) => void;
}) {
  const [smoothing, setSmoothing] = useSetting("smoothing");
  const [x, setX] = useSetting("x");
  return (
    <form class="toolbar" aria-label="Charts" onSubmit={(event) => event.preventDefault()}>
      <fieldset class="switch">
        <legend>Over</legend>
        {axes.map((axis) => (
          <label key={axis}>
            <input
              type="radio"
              name="x"
              checked={x === axis || (!axes.includes(x) && axis === axes[0])}
              onChange={() => {
                onZoom(undefined);
                setX(axis);
              }}
            />
            <span>{X_AXES[axis].short}</span>
          </label>
        ))}
      </fieldset>
      <label
        class="slider"
        title="Exponential moving average of curves of training, as TensorBoard's. Validations are drawn as they are."
      >
        Smoothing
        <input
          type="range"
          min="0"
          max={STRONGEST}
          step="0.01"
          value={smoothing}
          onInput={(event) => setSmoothing(Number(event.currentTarget.value))}
        />
        <output>{smoothing.toFixed(2)}</output>
      </label>
      <label class="search">
        <span class="unseen">Only charts with these words</span>
        <input
          type="search"
          placeholder="Filter charts"
          value={search}
          onInput={(event) => onSearch(event.currentTarget.value)}
        />
      </label>
      <button type="button" disabled={zoom === undefined} onClick={() => onZoom(undefined)}>
        Show all
      </button>
    </form>
  );
}
