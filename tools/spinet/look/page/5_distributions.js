// Distributions over neurons, intervals and pairs; one line per population.

/** rows: [{name, index, colour, dashes, counts, total, from, width}] with the same bins. */
function distribution({ id, name, unit, what, rows, caption, x }) {
  const text = data.figures[name];
  const shown = () => rows.filter((r) => r.total > 0 && !hidden.has(r.index));
  function draw(plot, width) {
    const visible = shown();
    if (!visible.length) return plot.replaceChildren(el("p", { class: "empty" }, caption.empty));
    let first = Infinity, last = 0;
    for (const r of visible) r.counts.forEach((n, i) => { if (n) first = Math.min(first, i), last = Math.max(last, i + 1); });
    if (x.all) first = Math.min(first, x.all(rows[0]));
    first = Math.max(0, first - 1), last = Math.min(rows[0].counts.length, last + 1);
    const edge = (i) => rows[0].from + i * rows[0].width;
    const percent = visible.map((r) => r.counts.map((n) => (100 * n) / r.total)), most = largest(percent.map((p) => largest(p))) || 1;
    const chart = axes(plot, width, 220, { from: edge(first), to: edge(last), label: text.x, log: x.log, text: (v) => short(v * text.x_scale) },
      { from: 0, to: most * 1.08, label: text.y }, { key: visible.map((r) => ({ text: r.name, colour: r.colour, dashes: r.dashes })), describe: text.title });
    percent.forEach((p, k) => steps(chart, p, edge, visible[k].colour, { first, last, area: visible.length < 4, dashes: visible[k].dashes }));
    readout(plot, chart, (v) => {
      const i = Math.floor((v - rows[0].from) / rows[0].width + 1e-9), show = (e) => (x.log ? x.text(10 ** e) : `${short(e)}${unit && ` ${unit}`}`);
      if (i < 0 || i >= rows[0].counts.length) return null;
      return [[`${show(edge(i))} to ${show(edge(i + 1))}`], ...visible.map((r) => [`${r.name}  ${short((100 * r.counts[i]) / r.total)} %  (${grouped(r.counts[i])})`, r.colour])];
    });
  }
  return figure({
    id, text, caption: caption.text, draw,
    tools: csvButton(name, function* () {
      yield [`from${x.suffix}`, `to${x.suffix}`, ...rows.map((r) => `${r.name}_${what}`)];
      const edge = (i) => { const e = rows[0].from + i * rows[0].width; return Number((x.log ? 10 ** e : e).toPrecision(10)); };
      for (let i = 0; i < rows[0].counts.length; ++i) yield [edge(i), edge(i + 1), ...rows.map((r) => r.counts[i])];
      if (rows.some((r) => r.above > 0)) yield [edge(rows[0].counts.length), "", ...rows.map((r) => r.above)];
    }),
  });
}

function makeDistributions(list) {
  const each = (f) => list.map((p) => ({ name: p.name, index: p.index, colour: p.colour, dashes: p.dashes, ...f(p) }));
  const above = (rows, what) => { const n = sum(rows.map((r) => r.above ?? 0)); return n ? ` ${plural(n, what)} beyond the axis.` : ""; };

  const rates = each((p) => ({ ...p.rates, total: p.neurons }));
  const silent = list.filter((p) => p.active < p.neurons).map((p) => `${short((100 * (p.neurons - p.active)) / p.neurons)} % of ${p.name}`);
  const rate = distribution({ id: "rate-distribution", name: "rate_distribution", unit: "Hz", what: "neurons", rows: rates, x: { suffix: "_Hz" },
    caption: { text: `Mean rate of each neuron over the time it was recorded; silent neurons are in the first bin${silent.length && silent.length < 5 ? ` (${silent.join(", ")})` : ""}.${above(rates, "neuron")}`, empty: "No neurons." } });

  // Populations have intervals in different decades: brought to the same bins.
  const firsts = list.filter((p) => p.isi.intervals).map((p) => p.isi.first), lasts = list.map((p) => p.isi.first + p.isi.counts.length);
  const first = firsts.length ? Math.min(...firsts) : 0, length = Math.max(1, largest(lasts) - first), { per_decade, first_decade } = data.isi_bins;
  const isi = distribution({ id: "isi", name: "isi", unit: "ms", what: "intervals", x: { text: (ms) => milliseconds(ms, 3), suffix: "_ms", log: true },
    rows: each((p) => ({ from: first_decade + first / per_decade, width: 1 / per_decade, total: p.isi.intervals, counts: Array.from({ length }, (_, i) => p.isi.counts[i + first - p.isi.first] ?? 0) })),
    caption: { text: `Intervals of all neurons, in bins of equal width in the logarithm (${per_decade} per decade).`, empty: "No neuron fired twice." } });

  const cvs = each((p) => ({ ...p.cv, total: p.cvs.n }));
  const cv = distribution({ id: "cv", name: "cv", unit: "", what: "neurons", rows: cvs, x: { suffix: "", all: () => 0 },
    caption: { text: `Standard deviation over mean of each neuron's intervals, for neurons with at least ${data.cv_intervals} intervals: 0 regular, 1 like a Poisson process.${above(cvs, "neuron")}`, empty: `No neuron has ${data.cv_intervals} intervals.` } });

  const correlation = distribution({ id: "correlation", name: "correlation", unit: "", what: "pairs", x: { suffix: "" },
    rows: each((p) => ({ ...p.correlation, total: p.correlations.n })),
    caption: { text: `Pearson's coefficient of spike counts in bins of ${milliseconds(data.correlation_bin_ms)}, for pairs within a population: ${list.filter((p) => p.correlations.n).map((p) => `${grouped(p.correlations.n)} pairs of ${plural(p.correlation_neurons, "neuron")} of ${p.name}`).join(", ") || "none"}. Sampled: evenly spaced neurons with at least ${data.least_spikes} spikes.`,
      empty: `No two sampled neurons of a population have ${data.least_spikes} spikes.` } });
  return [rate, isi, cv, correlation];
}
