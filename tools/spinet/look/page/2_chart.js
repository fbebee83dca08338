// Axes, lines and steps in SVG; redrawn when the width, the colours or what is shown change.
const colours = (i) => `var(--c${i % 8})`;
/** A colour of the style sheet as [r, g, b], for canvases. */
function rgb(i) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(`--c${i % 8}`).trim();
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

const figures = [];
const redrawAll = () => figures.forEach((f) => f.redraw());

/** A figure with a title, tools, a plot that `draw(plot, width)` fills, and a caption. */
function figure({ id, title, tools = [], caption, draw }) {
  const plot = el("div", { class: "plot" }), text = el("figcaption", {}, caption ?? "");
  const node = el("figure", { id, "aria-label": title }, el("div", { class: "bar" }, el("h3", {}, title), tools), plot, text);
  const me = { node, plot, text };
  me.redraw = () => {
    const width = plot.clientWidth;
    if (width < 1) return;
    me.width = width;
    draw(plot, width, me);
    node.dataset.drawn = "true";
  };
  figures.push(me);
  return me;
}

function ticks(from, to, most) {
  const span = to - from;
  if (!(span > 0)) return [from];
  let step = 10 ** Math.floor(Math.log10(span / most));
  for (const m of [1, 2, 5, 10]) if (span / (step * m) <= most) { step *= m; break; }
  const all = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; ++k) all.push(k * step);
  return all;
}
/** Labels with as many digits as the step between them needs. */
function tickLabels(all) {
  const step = all.length > 1 ? Math.abs(all[1] - all[0]) : 1, size = largest(all.map(Math.abs));
  const decimals = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)));
  if (size >= 1e7 || (size > 0 && size < 1e-5)) return all.map((x) => short(x, 4));
  return all.map((x) => (Math.abs(x) < step / 1e6 ? 0 : x).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).replace("-", "−"));
}

/** Axes in an SVG.  x, y: {from, to, label, log}; the result maps values to pixels. */
function axes(plot, width, height, x, y, options = {}) {
  const left = options.left ?? (width < 500 ? 46 : 58), right = options.right ?? 10, top = options.top ?? 18, bottom = options.bottom ?? 36;
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": options.describe ?? "" });
  const inner = { left, top, width: width - left - right, height: height - top - bottom };
  const xs = (v) => left + ((v - x.from) / (x.to - x.from || 1)) * inner.width;
  const ys = (v) => top + inner.height - ((v - y.from) / (y.to - y.from || 1)) * inner.height;
  const xt = x.log ? logTicks(x.from, x.to, inner.width / 60) : ticks(x.from, x.to, Math.max(2, inner.width / 90));
  const xl = x.log ? xt.map((v) => short(10 ** v)) : tickLabels(xt);
  xt.forEach((v, k) => {
    root.append(svg("line", { class: "grid", x1: xs(v), x2: xs(v), y1: top, y2: top + inner.height }),
      svg("text", { x: xs(v), y: top + inner.height + 15, "text-anchor": "middle" }, xl[k]));
  });
  if (!options.noY) {
    const yt = ticks(y.from, y.to, Math.max(2, inner.height / 36)), yl = tickLabels(yt);
    yt.forEach((v, k) => {
      root.append(svg("line", { class: "grid", x1: left, x2: left + inner.width, y1: ys(v), y2: ys(v) }),
        svg("text", { x: left - 7, y: ys(v) + 4, "text-anchor": "end" }, yl[k]));
    });
    root.append(svg("text", { x: 0, y: 10 }, y.label ?? ""));
  }
  root.append(svg("line", { class: "axis", x1: left, x2: left + inner.width, y1: top + inner.height, y2: top + inner.height }),
    svg("text", { x: left + inner.width, y: height - 2, "text-anchor": "end" }, x.label ?? ""));
  const clip = `clip${(axes.count = (axes.count ?? 0) + 1)}`;
  root.append(svg("clipPath", { id: clip }, svg("rect", { x: left, y: top - 2, width: inner.width, height: inner.height + 3 })));
  const marks = svg("g", { "clip-path": `url(#${clip})` });
  root.append(marks);
  plot.replaceChildren(root);
  return { root, marks, inner, xs, ys, fromPixel: (px) => x.from + ((px - left) / inner.width) * (x.to - x.from) };
}
function logTicks(from, to, most) {
  const all = [], decades = to - from;
  const steps = decades * 8 <= most ? [1, 1.5, 2, 3, 4, 5, 7] : decades * 3 <= most ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / most));
  for (let d = Math.floor(from); d <= Math.ceil(to); ++d) {
    if (((d % every) + every) % every) continue;
    for (const m of steps) {
      const v = d + Math.log10(m);
      if (v >= from - 1e-9 && v <= to + 1e-9) all.push(v);
    }
  }
  return all;
}

/** Bins as steps with a light area below: values[i] from edge(i) to edge(i + 1). */
function steps(chart, values, edge, colour, options = {}) {
  let line = "", first = true;
  const base = chart.ys(0).toFixed(1), from = options.first ?? 0, to = options.last ?? values.length;
  if (from >= to) return;
  for (let i = from; i < to; ++i) {
    const y = chart.ys(values[i] ?? 0).toFixed(1);
    line += `${first ? "M" : "L"}${chart.xs(edge(i)).toFixed(1)} ${y}H${chart.xs(edge(i + 1)).toFixed(1)}`;
    first = false;
  }
  const start = chart.xs(edge(from)).toFixed(1), end = chart.xs(edge(to)).toFixed(1);
  if (options.area !== false) chart.marks.append(svg("path", { d: `M${start} ${base}L${line.slice(1)}V${base}Z`, fill: colour, "fill-opacity": .13 }));
  chart.marks.append(svg("path", { d: options.area === false ? line : `M${start} ${base}L${line.slice(1)}V${base}`, fill: "none", stroke: colour, "stroke-width": 1.4, "stroke-linejoin": "round" }));
}

/** Shows `lines(x)`, an array of [text, colour?], beside the pointer; null hides it. */
function readout(plot, chart, lines) {
  const box = el("div", { class: "readout", hidden: "" });
  const cursor = svg("line", { class: "cursor", y1: chart.inner.top, y2: chart.inner.top + chart.inner.height, visibility: "hidden" });
  chart.root.append(cursor);
  plot.append(box);
  const hide = () => { box.hidden = true; cursor.setAttribute("visibility", "hidden"); };
  chart.root.addEventListener("pointerleave", hide);
  chart.root.addEventListener("pointermove", (e) => {
    const px = e.clientX - chart.root.getBoundingClientRect().left;
    const text = px >= chart.inner.left && px <= chart.inner.left + chart.inner.width ? lines(chart.fromPixel(px)) : null;
    if (!text) return hide();
    box.replaceChildren(...text.map(([t, colour]) => el("div", {}, colour && el("span", { class: "swatch", style: `--colour:${colour}` }), t)));
    box.hidden = false;
    const right = px > chart.inner.left + chart.inner.width / 2;
    box.style.top = `${chart.inner.top + 4}px`;
    box.style.left = right ? "" : `${px + 12}px`;
    box.style.right = right ? `${plot.clientWidth - px + 12}px` : "";
    cursor.setAttribute("x1", px);
    cursor.setAttribute("x2", px);
    cursor.setAttribute("visibility", "visible");
  });
}
