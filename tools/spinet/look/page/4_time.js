// Population rates and recorded variables over time; they follow the raster's window.

function makeRates(list, { id, text }) {
  const shown = list.filter((p) => p.neurons > 0);
  const bins = shown.length ? shown[0].counts.length : 0;
  // Wide enough that a bin holds spikes, narrow enough that the run has many bins.
  const factors = [1];
  for (let f = 2; bins / f >= 10; ++f) if (["1", "2", "5"].includes((f * data.bin_ms).toExponential(6).replace(/\.?0*e.*/, ""))) factors.push(f);
  const least = Math.min(...shown.filter((p) => p.spikes > 0).map((p) => p.spikes / bins));
  let factor = factors.find((f) => bins / f <= 500 && (least * f >= 5 || bins / f <= 50)) ?? factors.at(-1);

  function rates(p, f) {
    const out = new Float64Array(Math.ceil(bins / f));
    p.counts.forEach((n, i) => (out[Math.floor(i / f)] += n));
    // Per time that was recorded; null where nothing was.
    return Array.from(out, (n, k) => {
      const ms = Math.min((k + 1) * f * data.bin_ms, p.to) - Math.max(k * f * data.bin_ms, p.from);
      return ms > 1e-9 * data.end_ms ? (n / p.neurons / ms) * 1e3 : null;
    });
  }
  function draw(plot, width, me) {
    const visible = shown.filter((p) => !hidden.has(p.index)), step = factor * data.bin_ms;
    const first = Math.max(0, Math.floor(view.from / step)), last = Math.min(Math.ceil(bins / factor), Math.ceil(view.to / step));
    const lines = visible.map((p) => rates(p, factor)), most = largest(lines.map((l) => largest(l.slice(first, last)))) || 1;
    const chart = axes(plot, width, 210, timeAxis(view.from, view.to), { from: 0, to: most * 1.08, label: text.y },
      { left: width < 500 ? 62 : 92, key: visible.map((p) => ({ text: p.name, colour: p.colour, dashes: p.dashes })), describe: text.title });
    lines.forEach((l, k) => {
      const p = visible[k];
      steps(chart, l, (i) => Math.max(p.from, Math.min(i * step, p.to)), p.colour, { area: visible.length < 4, dashes: p.dashes, first: Math.max(first, Math.floor(p.from / step)), last: Math.min(last, Math.ceil(p.to / step)) });
    });
    readout(plot, chart, (t) => {
      const i = Math.floor(t / step);
      const { scale = 1, label } = timeAxis(view.from, view.to);
      return [[`${tickLabels([i * step * scale, (i + 1) * step * scale]).join("–")} ${label.slice(6, -1)}`], ...visible.map((p, k) => [`${p.name}  ${short(lines[k][i] ?? NaN)} Hz`, p.colour])];
    });
    me.text.textContent = `Spikes per neuron and second in bins of ${milliseconds(step, 3)}; not smoothed.`;
  }
  const select = el("select", { onchange: (e) => { factor = Number(e.target.value); me.redraw(); } }, factors.map((f) => el("option", { value: f }, milliseconds(f * data.bin_ms, 3))));
  select.value = factor;
  const me = figure({
    id, text, draw,
    tools: [el("label", {}, "Bin", select), csvButton(text.name, function* () {
      yield ["from_ms", "to_ms", ...shown.map((p) => `${p.name}_Hz`)];
      const lines = shown.map((p) => rates(p, factor)), step = factor * data.bin_ms;
      for (let i = 0; i < Math.ceil(bins / factor); ++i) yield [i * step, Math.min((i + 1) * step, data.end_ms), ...lines.map((l) => l[i])];
    })],
  });
  timeFigures.push(me);
  return me;
}

function makeTraces(t, k) {
  const step = t.step * t.per_point, ranges = t.per_point > 1, points = t.shown[0].low.length;
  const time = (i) => t.start + i * step;
  function draw(plot, width, me) {
    const from = view.from, to = view.to, first = Math.max(0, Math.floor((from - t.start) / step) - 1), last = Math.min(points, Math.ceil((to - t.start) / step) + 2);
    let low = Infinity, high = -Infinity;
    for (const s of t.shown)
      for (let i = first; i < last; ++i) {
        if (s.low[i] !== null) low = Math.min(low, s.low[i]);
        const top = (s.high ?? s.low)[i];
        if (top !== null) high = Math.max(high, top);
      }
    if (!(low <= high)) low = 0, high = 1;
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    const chart = axes(plot, width, 230, timeAxis(from, to), { from: low - room, to: high + room, label: t.figure.y }, { left: width < 500 ? 62 : 92, key: t.shown.map((s, c) => ({ text: `neuron ${s.node}`, colour: colours(c) })), describe: `${t.variable} over time` });
    t.shown.forEach((s, c) => {
      let d = "", pen = "M";
      for (let i = first; i < last; ++i) {
        if (s.low[i] === null) { pen = "M"; continue; }
        const x = chart.xs(time(i)).toFixed(1);
        d += `${pen}${x} ${chart.ys(s.low[i]).toFixed(1)}`;
        if (ranges) d += `V${chart.ys(s.high[i]).toFixed(1)}`;
        pen = "L";
      }
      chart.marks.append(svg("path", { d, fill: "none", stroke: colours(c), "stroke-width": 1.2, "stroke-linejoin": "round" }));
    });
    readout(plot, chart, (x) => {
      const i = Math.round((x - t.start) / step);
      if (i < 0 || i >= points) return null;
      return [[clock(time(i))], ...t.shown.map((s, c) => [`neuron ${s.node}  ${short(s.low[i] ?? NaN, 5)}${ranges ? ` to ${short(s.high[i] ?? NaN, 5)}` : ""} ${t.units}`, colours(c)])];
    });
    me.text.textContent =
      `${t.shown.length < t.neurons ? `${t.shown.length} of ${plural(t.neurons, "recorded neuron")} of` : `All recorded neurons of`} ${t.population}, every ${milliseconds(t.step, 3)}` +
      (ranges ? `; each point is the range of ${grouped(t.per_point)} frames.` : "; every frame is drawn. Spikes reset the variable and are not drawn themselves.");
  }
  const me = figure({
    id: `trace-${k}`, text: t.figure, draw,
    tools: csvButton(t.figure.name, function* () {
      yield ["time_ms", ...t.shown.flatMap((s) => (ranges ? [`neuron_${s.node}_min`, `neuron_${s.node}_max`] : [`neuron_${s.node}`]))];
      for (let i = 0; i < points; ++i) yield [time(i), ...t.shown.flatMap((s) => (ranges ? [s.low[i], s.high[i]] : [s.low[i]]))];
    }),
  });
  timeFigures.push(me);
  return me;
}

/** What an environment logged with its rewards. */
function makeMetric(m, k) {
  const values = m.means.filter((v) => v !== null), low = values.length ? -largest(values.map((v) => -v), -Infinity) : 0, high = values.length ? largest(values, -Infinity) : 1;
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  function draw(plot, width, me) {
    const chart = axes(plot, width, 200, timeAxis(view.from, view.to), { from: low - room, to: high + room, label: m.figure.y }, { describe: `${m.figure.title} over time` });
    let d = "", pen = "M";
    m.ms.forEach((t, i) => {
      if (m.means[i] === null) return (pen = "M");
      d += `${pen}${chart.xs(t).toFixed(1)} ${chart.ys(m.means[i]).toFixed(1)}${pen === "M" ? "h0.01" : ""}`;  // a point alone is a dot
      pen = "L";
    });
    chart.marks.append(svg("path", { d, fill: "none", stroke: colours(0), "stroke-width": 1.4, "stroke-linejoin": "round", "stroke-linecap": "round" }));
    readout(plot, chart, (t) => {
      const i = m.ms.reduce((best, at, n) => (Math.abs(at - t) < Math.abs(m.ms[best] - t) ? n : best), 0);
      return [[clock(m.ms[i])], [`${m.metric}  ${short(m.means[i] ?? NaN, 5)}`]];
    });
    me.text.textContent = `With each of ${plural(m.rewards, "reward")}${m.per_point > 1 ? `; each point is the mean of ${grouped(m.per_point)} in a row` : ""}.${m.not_finite ? ` Left out: ${plural(m.not_finite, "value")} that are no numbers.` : ""}`;
  }
  const me = figure({
    id: `metric-${k}`, text: m.figure, draw,
    tools: csvButton(m.figure.name, function* () {
      yield ["time_ms", m.metric];
      for (let i = 0; i < m.ms.length; ++i) yield [m.ms[i], m.means[i]];
    }),
  });
  timeFigures.push(me);
  return me;
}
