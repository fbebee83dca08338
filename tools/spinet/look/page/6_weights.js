// Weights: a histogram for each recorded frame side by side, and the changes of single synapses.

function makeWeights(w, k) {
  const frames = w.shown, bins = frames[0].counts.length, low = w.from, high = w.from + bins * w.width;
  const total = w.edges, most = largest(frames.map((f) => largest(f.counts))) || 1;
  const logarithmic = (n) => Math.log1p(n) / Math.log1p(most);
  // A frame is of one moment: its column reaches half way to its neighbours.
  const { bounds } = w, begin = bounds[0], end = bounds.at(-1);
  function draw(plot, width, me) {
    const chart = axes(plot, width, 280, timeAxis(begin, end), { from: low, to: high, label: w.figure.y },
      { key: [{ text: "synapses per bin of a frame", colour: "var(--c0)", variable: "--c0", from: 1, to: most, curve: (part) => logarithmic(1 + part * (most - 1)) }], describe: `${w.figure.title} over time` });
    const [r, g, b] = rgb("--c0"), fine = 2400, canvas = el("canvas", { width: fine, height: bins }), context = canvas.getContext("2d");
    const column = (ms) => Math.round((fine * (ms - begin)) / (end - begin || 1));
    frames.forEach((f, k) => f.counts.forEach((n, y) => {
      if (!n) return;
      context.fillStyle = `rgb(${r} ${g} ${b} / ${(25 + 230 * logarithmic(n)) / 255})`;
      context.fillRect(column(bounds[k]), bins - 1 - y, Math.max(1, column(bounds[k + 1]) - column(bounds[k])), 1);
    }));
    chart.marks.append(svg("image", { href: canvas.toDataURL(), x: chart.inner.left, y: chart.inner.top, width: chart.inner.width, height: chart.inner.height, preserveAspectRatio: "none", style: "image-rendering: pixelated" }));
    const times = frames.length > 1 ? frames.map((f) => f.ms) : [begin, end];
    const line = (f, style) => chart.marks.append(svg("path", { d: "M" + times.map((t, k) => `${chart.xs(t).toFixed(1)} ${chart.ys(f(frames[k] ?? frames[0])).toFixed(1)}`).join("L"), "data-line": style.name, fill: "none", stroke: "var(--ink)", "stroke-width": 1.6, ...style.more }));
    line((x) => x.mean, { name: "mean" });
    const dashed = { "stroke-dasharray": "3 3", "stroke-width": 1 };
    line((x) => x.mean - x.sd, { name: "mean - sd", more: dashed });
    line((x) => x.mean + x.sd, { name: "mean + sd", more: dashed });
    readout(plot, chart, (t) => {
      const f = frames[Math.max(0, frames.findLastIndex((_, k) => bounds[k] <= t))];
      return [[clock(f.ms)], [`mean ${short(f.mean, 5)}, sd ${short(f.sd)}`], [`${short(f.min, 5)} to ${short(f.max, 5)} ${w.units}`]];
    });
    me.text.textContent = `${plural(total, "synapse")}; each column is the histogram of one frame and reaches half way to the next ones (${frames.length < w.frames ? `${frames.length} of ${grouped(w.frames)} frames` : plural(w.frames, "frame")}), darker by the logarithm of the number. Line: mean; dashed: one standard deviation.`;
  }
  return figure({
    id: `weights-${k}`, text: w.figure, draw,
    tools: csvButton(w.figure.name, function* () {
      const edge = (i) => Number((low + i * w.width).toPrecision(8));
      yield ["time_ms", "mean", "sd", "min", "max", ...Array.from({ length: bins }, (_, i) => `from_${edge(i)}_to_${edge(i + 1)}`)];
      for (const f of frames) yield [f.ms, f.mean, f.sd, f.min, f.max, ...f.counts];
    }),
  });
}

/** The weights at the end: the histogram of the last frame. */
function makeFinalWeights(w, k) {
  const text = w.last, last = w.shown.at(-1), edge = (i) => w.from + i * w.width;
  let first = last.counts.findIndex((n) => n > 0), end = last.counts.findLastIndex((n) => n > 0) + 1;
  if (first < 0) first = 0, end = last.counts.length;
  first = Math.max(0, first - 1), end = Math.min(last.counts.length, end + 1);
  function draw(plot, width) {
    const chart = axes(plot, width, 220, { from: edge(first), to: edge(end), label: text.x }, { from: 0, to: (largest(last.counts) || 1) * 1.08, label: text.y }, { describe: text.title });
    steps(chart, last.counts, edge, "var(--c0)", { first, last: end });
    readout(plot, chart, (v) => {
      const i = Math.floor((v - w.from) / w.width);
      return i < 0 || i >= last.counts.length ? null : [[`${short(edge(i), 5)} to ${short(edge(i + 1), 5)} ${w.units}`], [plural(last.counts[i], "synapse")]];
    });
  }
  return figure({
    id: `final-weights-${k}`, text, draw,
    caption: `Of ${plural(w.edges, "synapse")} in the last frame, at ${clock(last.ms)}: mean ${short(last.mean, 4)} ${w.units}, standard deviation ${short(last.sd, 3)} ${w.units}, from ${short(last.min, 4)} to ${short(last.max, 4)} ${w.units}.`,
    tools: csvButton(text.name, function* () {
      yield ["from", "to", "synapses"];
      for (let i = first; i < end; ++i) yield [edge(i), edge(i + 1), last.counts[i]];
    }),
  });
}

function makeChanges(c, k) {
  const values = c.synapses.flatMap((s) => s.values).filter((v) => v !== null), low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  function draw(plot, width, me) {
    const chart = axes(plot, width, 230, timeAxis(view.from, view.to), { from: low - room, to: high + room, label: c.figure.y },
      { left: width < 500 ? 62 : 92, key: c.synapses.map((s, i) => ({ text: `synapse ${s.edge} (${plural(s.changes, "change")})`, colour: colours(i) })), describe: c.figure.title });
    c.synapses.forEach((s, i) => {
      let d = "";
      s.ms.forEach((t, n) => { if (s.values[n] !== null) d += d ? `H${chart.xs(t).toFixed(1)}V${chart.ys(s.values[n]).toFixed(1)}` : `M${chart.xs(t).toFixed(1)} ${chart.ys(s.values[n]).toFixed(1)}`; });
      if (d && s.changes === s.ms.length) d += `H${chart.xs(data.end_ms).toFixed(1)}`;
      chart.marks.append(svg("path", { d, fill: "none", stroke: colours(i), "stroke-width": 1.4 }));
    });
    me.text.textContent = (
      `A synapse's line begins at its first recorded change.${c.all ? "" : ` Only some of the ${plural(c.events, "change")} are shown.`}`);
  }
  const me = figure({
    id: `changes-${k}`, text: c.figure, draw,
    tools: csvButton(c.figure.name, function* () {
      yield ["time_ms", "edge", "weight"];
      for (const s of c.synapses) for (let i = 0; i < s.ms.length; ++i) yield [s.ms[i], s.edge, s.values[i]];
    }),
  });
  timeFigures.push(me);
  return me;
}
