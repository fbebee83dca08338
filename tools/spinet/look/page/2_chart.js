// Axes, keys, lines and steps in SVG; redrawn when the width, the colours or what is shown change.
const colours = (i) => `var(--c${i % 8})`;
const signName = (p) => ({ 1: "excitatory", "-1": "inhibitory" })[Math.sign(p.sign ?? 0)] ?? "";
data.populations.forEach((p, i) => {
  p.index = i;
  p.variable = `--${p.colour}`;
  p.colour = `var(${p.variable})`;
});
/** A colour of the style sheet as [r, g, b], for canvases. */
function rgb(variable) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

/** Axes over time: in seconds where milliseconds would be thousands. */
const timeAxis = (from, to) => (Math.max(Math.abs(from), Math.abs(to)) >= 1000 ? { from, to, scale: 1e-3, label: "time (s)" } : { from, to, label: "time (ms)" });
const clock = (ms, digits = 7) => (Math.abs(ms) >= 1000 ? `${short(ms / 1e3, digits)} s` : `${short(ms, digits)} ms`);

const figures = [];
const redrawAll = () => figures.forEach((f) => f.redraw());

/** A figure with tools, a plot that `draw(plot, width)` fills, and a caption; `text`: its name, its title and its axes. */
function figure({ id, text: { name, title }, tools = [], caption, draw }) {
  const plot = el("div", { class: "plot" }), text = el("figcaption", {}, caption ?? "");
  const save = (format) => el("button", { type: "button", class: "picture", "data-format": format, title: `Save this figure as ${format.toUpperCase()}`, onclick: () => savePicture(me, format) }, format.toUpperCase());
  const pictures = [save("svg"), save("png")];
  const node = el("figure", { id, "data-name": name, "aria-label": title }, el("div", { class: "bar" }, el("h3", {}, title), tools, pictures), plot, text);
  const me = { id, name, title, node, plot, text };
  me.redraw = () => {
    const width = plot.clientWidth;
    if (width < 1) return;
    me.width = width;
    draw(plot, width, me);
    pictures.forEach((b) => (b.disabled = !plot.querySelector("svg")));
    node.dataset.drawn = "true";
  };
  figures.push(me);
  return me;
}

/** Round numbers for an axis, `most` of them at most, each `least` at least from the next. */
function ticks(from, to, most, least = 0) {
  const span = to - from;
  if (!(span > 0)) return [from];
  let step = 10 ** Math.floor(Math.log10(span / most));
  for (const m of [1, 2, 5, 10]) if (span / (step * m) <= most) { step *= m; break; }
  step = Math.max(step, least);
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

/** Width of a text in pixels. */
function measure(text, size = 11) {
  measure.context ??= el("canvas").getContext("2d");
  measure.context.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return measure.context.measureText(text).width;
}
/** A text in lines that are at most so wide: whole, however long. */
function wrapped(text, width, size = 11) {
  const lines = [""];
  for (const c of text)
    if (lines.at(-1) === "" || measure(lines.at(-1) + c, size) <= width) lines[lines.length - 1] += c;
    else lines.push(c);
  return lines;
}

let ids = 0;  // of gradients and clip paths in the page
/** The key of a chart: entries {text, colour, dashes} or, where colour codes a number, {text, variable, from, to, curve}. */
function drawKey(root, entries, width) {
  const line = 15, bar = 70;
  let x = 0, y = 0, tall = line;
  for (const e of entries) {
    const ends = e.variable ? [String(e.from), String(e.to)] : [], head = e.variable ? measure(ends[0]) + bar + measure(ends[1]) + 20 : e.dashes ? 28 : 16;
    const lines = wrapped(e.text, Math.max(40, width - head - 14)), wide = head + largest(lines.map((l) => measure(l))) + 14;
    if (x > 0 && x + wide > width) x = 0, y += tall, tall = line;
    let at = x;
    if (e.variable) {
      const id = `scale${++ids}`, step = (k) => svg("stop", { offset: k / 6, "stop-color": e.colour, "stop-opacity": (25 + 230 * e.curve(k / 6)) / 255 });
      root.append(svg("linearGradient", { id }, [0, 1, 2, 3, 4, 5, 6].map(step)), svg("text", { x: at, y: y + 11 }, ends[0]),
        svg("rect", { class: "scale", x: at += measure(ends[0]) + 4, y: y + 2, width: bar, height: 10, fill: `url(#${id})`, stroke: "var(--edge)" }), svg("text", { x: at += bar + 4, y: y + 11 }, ends[1]));
      at += measure(ends[1]) + 8;
    } else {
      root.append(e.dashes ? svg("line", { class: "key", x1: at, x2: at + 22, y1: y + 7, y2: y + 7, stroke: e.colour, "stroke-width": 2.4, "stroke-dasharray": e.dashes })
        : svg("rect", { class: "key", x: at, y: y + 2, width: 10, height: 10, rx: 2, fill: e.colour }));
      at += e.dashes ? 27 : 15;
    }
    lines.forEach((l, k) => root.append(svg("text", { x: at, y: y + 11 + k * line }, l)));
    x += wide;
    tall = Math.max(tall, lines.length * line);
  }
  return entries.length ? y + tall + 4 : 0;
}

/**
 * Axes in an SVG.  x, y: {from, to, label, log, scale: of the numbers shown, least: between numbers}; options.key: entries of drawKey.  `height` is
 * without the key.  The result maps values to units of the view box, which are pixels until the page is resized or printed.
 */
function axes(plot, width, height, x, y, options = {}) {
  const root = svg("svg", { role: "img", "aria-label": options.describe ?? "" }), above = drawKey(root, options.key ?? [], width);
  height += above;
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const left = options.left ?? (width < 500 ? 46 : 58), right = options.right ?? 10, top = above + 18, bottom = 36;
  const inner = { left, top, width: width - left - right, height: height - top - bottom };
  const xs = (v) => left + ((v - x.from) / (x.to - x.from || 1)) * inner.width;
  const ys = (v) => top + inner.height - ((v - y.from) / (y.to - y.from || 1)) * inner.height;
  const scale = x.scale ?? 1, shown = x.log ? logTicks(x.from, x.to, inner.width / 60) : ticks(x.from * scale, x.to * scale, Math.max(2, inner.width / 90), x.least);
  const xl = x.log ? shown.map((v) => x.text?.(10 ** v) ?? short(10 ** v)) : tickLabels(shown);
  shown.forEach((v, k) => {
    const at = xs(x.log ? v : v / scale);
    root.append(svg("line", { class: "grid", x1: at, x2: at, y1: top, y2: top + inner.height }), svg("text", { class: "tick", x: at, y: top + inner.height + 15, "text-anchor": "middle" }, xl[k]));
  });
  if (!options.noY) {
    const yt = ticks(y.from, y.to, Math.max(2, inner.height / 36)), yl = tickLabels(yt);
    yt.forEach((v, k) => {
      root.append(svg("line", { class: "grid", x1: left, x2: left + inner.width, y1: ys(v), y2: ys(v) }),
        svg("text", { class: "tick", x: left - 7, y: ys(v) + 4, "text-anchor": "end" }, yl[k]));
    });
  }
  root.append(svg("text", { class: "label", x: 0, y: above + 10 }, y.label ?? ""));
  root.append(svg("line", { class: "axis", x1: left, x2: left + inner.width, y1: top + inner.height, y2: top + inner.height }),
    svg("text", { class: "label", x: left + inner.width, y: height - 2, "text-anchor": "end" }, x.label ?? ""));
  const clip = `clip${++ids}`;
  root.append(svg("clipPath", { id: clip }, svg("rect", { x: left, y: top - 2, width: inner.width, height: inner.height + 3 })));
  const marks = svg("g", { "clip-path": `url(#${clip})` });
  root.append(marks);
  plot.replaceChildren(root);
  return { root, marks, inner, xs, ys, width, height, fromPixel: (px) => x.from + ((px - left) / inner.width) * (x.to - x.from) };
}
/** Whole decades, or 1, 2, 5 where there is room. */
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
  if (all.length < 2) return ticks(10 ** from, 10 ** to, Math.max(2, most)).filter((v) => v > 0).map(Math.log10);  // a part of a decade
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
  chart.marks.append(svg("path", { d: options.area === false ? line : `M${start} ${base}L${line.slice(1)}V${base}`, fill: "none", stroke: colour, "stroke-width": 1.4, "stroke-linejoin": "round", "stroke-dasharray": options.dashes || null }));
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
