/**
 * Tells the values of a chart where one points at it, in plain JavaScript for the page. It reads them from the lines as they are
 * drawn, so that they stand in the page once.
 */
export const chartScript = `
(() => {
  const write = {
    short: (value) => String(Number(value.toPrecision(4))),
    count: (value) => value.toLocaleString("en", { maximumFractionDigits: 1 }),
    percent: (value) => Number((value * 100).toPrecision(4)) + " %",
    power: (value) => value.toPrecision(3),
  };
  const read = new WeakMap();

  function valuesOf(svg) {
    if (!read.has(svg)) {
      const [x0, x1, left, right] = svg.dataset.x.split(" ").map(Number);
      const [y0, y1, bottom, top] = svg.dataset.y.split(" ").map(Number);
      const lines = [...svg.querySelectorAll("polyline")].map((line) => ({
        name: line.dataset.name,
        className: line.getAttribute("class").replace("line", "key"),
        points: [...line.points].map(({ x, y }) => {
          const value = y0 + ((y - bottom) / (top - bottom)) * (y1 - y0);
          return { at: x, x: x0 + ((x - left) / (right - left)) * (x1 - x0), y: "log" in svg.dataset ? 10 ** value : value };
        }),
      }));
      read.set(svg, lines);
    }
    return read.get(svg);
  }

  const nearest = (points, at) =>
    points.reduce((best, point) => (Math.abs(point.at - at) < Math.abs(best.at - at) ? point : best));

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  const cursor = document.querySelector("svg.chart line").cloneNode();
  cursor.setAttribute("class", "cursor");

  function hide() {
    tip.remove();
    cursor.remove();
  }

  function show(event) {
    const svg = event.target.closest?.("svg.chart");
    if (!svg) return hide();
    const box = svg.getBoundingClientRect();
    const size = svg.viewBox.baseVal;
    const lines = valuesOf(svg);
    const at = ((event.clientX - box.left) / box.width) * size.width;
    const { at: place, x } = nearest(lines.flatMap(({ points }) => points), at);
    const [, , bottom, top] = svg.dataset.y.split(" ");
    for (const [name, value] of Object.entries({ x1: place, x2: place, y1: top, y2: bottom })) cursor.setAttribute(name, value);
    svg.append(cursor);
    const head = document.createElement("b");
    const rounded = Math.abs(x - Math.round(x)) < 0.01 * Math.abs(x) && x > 20 ? Math.round(x) : Number(x.toPrecision(3));
    head.textContent = svg.dataset.axis + " " + rounded.toLocaleString("en");
    const rows = lines.map(({ name, className, points }) => {
      const row = document.createElement("span");
      row.className = className;
      row.textContent = name + "  " + write[svg.dataset.format](nearest(points, place).y);
      return row;
    });
    tip.replaceChildren(head, ...rows);
    document.body.append(tip);
    const left = event.clientX + 16 + tip.offsetWidth > innerWidth ? event.clientX - 16 - tip.offsetWidth : event.clientX + 16;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, Math.min(innerHeight - tip.offsetHeight - 4, event.clientY - tip.offsetHeight / 2)) + "px";
  }

  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", hide, { passive: true });
})();
`;
