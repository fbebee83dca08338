// The page from top to bottom.
const run = data.run;

function facts() {
  const fact = (name, value, small) => el("div", {}, el("dt", {}, name), el("dd", {}, value, small && el("small", {}, " ", small)));
  const all = [fact("model time", seconds(run.reached_s), run.reached_s < run.duration_s ? `of ${seconds(run.duration_s)}` : "")];
  if (run.run_s !== undefined) {
    all.push(fact("wall time", seconds(run.run_s), run.reached_s > 0 ? `${short(run.run_s / run.reached_s)} × real time` : ""));
    all.push(fact("neurons", grouped(sum(run.populations.filter((p) => p.kind === "neuron").map((p) => p.size)))));
    all.push(fact("synapses", grouped(run.synapses)));
  }
  all.push(fact("spikes in the log", grouped(sum(data.populations.map((p) => p.spikes)))));
  all.push(fact("ranks", grouped(run.ranks)), fact("seed", String(run.seed)), fact("version", run.version));
  return el("dl", { class: "facts" }, all);
}

/** Of all neurons from t = 0 to where the run ended, in Hz. */
const firedRate = (p) => (p.fired !== undefined && p.size && run.reached_s > 0 ? p.fired / p.size / run.reached_s : undefined);
function populationTable() {
  const of = new Map(data.populations.map((p) => [p.name, p]));
  const row = (p) => {
    const a = of.get(p.name), rate = firedRate(p);
    const name = a
      ? el("button", { type: "button", class: "name", "aria-pressed": "true", title: `Show or hide ${p.name} in the figures`, onclick: (e) => toggle(a.index, e.currentTarget) }, el("span", { class: "swatch", style: `--colour:${a.colour}` }), p.name)
      : el("span", { class: "soft" }, p.name);
    const cell = (x) => el("td", {}, x ?? "–");
    return el("tr", {}, el("td", {}, name), el("td", {}, p.model), el("td", {}, p.kind === "source" ? "source" : signName(p) || "–"), cell(grouped(p.size)), cell(p.fired === undefined ? undefined : grouped(p.fired)), cell(rate === undefined ? undefined : hertz(rate)),
      cell(p.recorded ? grouped(p.spikes) : "no"), cell(a && hertz(a.rate)),
      cell(a && a.neurons ? `${short((100 * (a.neurons - a.active)) / a.neurons)} %` : undefined), cell(a && a.isi.intervals ? milliseconds(a.isi.median, 3) : undefined), cell(a && a.cvs.n ? short(a.cvs.mean) : undefined),
      cell(a && a.correlations.n ? short(a.correlations.mean, 2) : undefined));
  };
  const heads = ["population", "model", "kind", "neurons", "spikes", "rate", "recorded", "rate there", "silent", "median ISI", "mean CV", "mean correlation"];
  const csv = csvButton("populations", function* () {
    yield ["population", "model", "kind", "neurons", "spikes", "rate_Hz", "recorded_spikes", "recorded_rate_Hz", "silent_neurons", "median_isi_ms", "mean_cv", "mean_correlation"];
    for (const p of run.populations) {
      const a = of.get(p.name);
      yield [p.name, p.model, p.kind, p.size, p.fired, firedRate(p), p.spikes, a?.rate, a && a.neurons - a.active, a?.isi.median, a?.cvs.n ? a.cvs.mean : undefined, a?.correlations.n ? a.correlations.mean : undefined];
    }
  });
  return el("figure", { id: "populations" }, el("div", { class: "bar" }, el("h3", {}, "Populations"), csv),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of populations" }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, run.populations.map(row)))),
    el("figcaption", {}, partly(), data.populations.length > 1 && el("span", { class: "hands" }, "A click on a name hides the population in the figures, or shows it again.")));
}
/** What of the populations is not in the log. */
function partly() {
  const of = (p) => [p.neurons < p.size && `${grouped(p.neurons)} of ${plural(p.size, "neuron")}`, (p.from > 0 || p.to < data.end_ms) && `from ${milliseconds(p.from)} to ${milliseconds(p.to)}`].filter(Boolean).join(" ");
  const texts = new Map();
  for (const p of data.populations) if (of(p)) texts.set(of(p), [...(texts.get(of(p)) ?? []), p.name]);
  return texts.size ? `Recorded: ${[...texts].map(([text, names]) => `${names.join(", ")} ${text}`).join("; ")}; silent neurons, intervals and figures are of what was recorded. ` : "";
}
function toggle(index, button) {
  if (hidden.has(index)) hidden.delete(index);
  else hidden.add(index);
  button.setAttribute("aria-pressed", String(!hidden.has(index)));
  redrawAll();
}

function provenance() {
  const pair = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : []);
  return el("figure", { id: "provenance" }, el("dl", { class: "pairs" }, pair("network", `${run.network} (${run.path})`), pair("command", el("code", {}, run.command_line)),
    pair("changed with --set", run.overrides.length ? el("code", {}, run.overrides.join("  ")) : ""), pair("status", run.status), pair("started", run.started), pair("finished", run.finished), pair("host", run.host),
    pair("time resolution", `${seconds(run.tick_s)} (one tick)`),
    run.run_s !== undefined ? pair("work", `built in ${seconds(run.build_s)}, ran ${seconds(run.run_s)}; ${count(run.events)} events, ${count(run.events_per_second)} per second`) : [],
    pair("log", `${run.file}, ${bytes(run.bytes)}`)));
}

function page() {
  const report = document.getElementById("report"), add = (...nodes) => report.append(...nodes.flat());
  if (data.training) return trainingPage(add);
  add(el("header", {}, el("h1", {}, run.network), el("p", { class: "soft" }, `${run.path} · ${run.status}${run.started ? ` · ${run.started.replace("T", " ").replace("Z", " UTC")}` : ""}`)), facts());
  for (const w of data.warnings) add(el("p", { class: w.serious ? "warning serious" : "warning", role: "note" }, el("strong", {}, w.serious ? "Warning" : "Note"), w.text));
  imagesSection(add);
  add(el("h2", {}, "Activity"), populationTable());
  const sources = data.populations.filter((p) => p.kind === "source"), neurons = data.populations.filter((p) => p.kind !== "source");
  if (neurons.length) {
    add(makeRaster(neurons, { id: "raster", text: data.figures.raster, stack: view }).node, el("p", { class: "note hands" }, "Drag to move; the wheel with Ctrl zooms in time, with Shift in neurons; a double click shows all. The figures over time below follow."));
    add(makeRates(neurons, { id: "rates", text: data.figures.rates }).node);
    add(el("h2", {}, "Distributions"), el("div", { class: "pair" }, makeDistributions(neurons).map((f) => f.node)));
  }
  if (sources.length) {
    add(el("h2", {}, "Sources"), makeRaster(sources, { id: "source-raster", text: data.figures.source_raster, stack: { low: 0, high: 1, mode: "auto" } }).node);
    add(makeRates(sources, { id: "source-rates", text: data.figures.source_rates }).node);
  }
  if (data.metrics.length) add(el("h2", {}, "Metrics"), el("div", { class: "pair" }, data.metrics.map((m, k) => makeMetric(m, k).node)));
  if (data.traces.length) add(el("h2", {}, "Recorded variables"), data.traces.map((t, k) => makeTraces(t, k).node));
  if (data.weights.length + data.changes.length) add(el("h2", {}, "Weights"), data.weights.flatMap((w, k) => [makeWeights(w, k).node, makeFinalWeights(w, k).node]), data.changes.map((c, k) => makeChanges(c, k).node));
  add(el("h2", {}, "What ran"), provenance(), el("details", { style: "margin-top:16px", open: data.yaml.length < 3000 ? "" : null }, el("summary", {}, "The network as it was read"), el("pre", { id: "yaml" }, data.yaml + (data.yaml_cut ? "\n… (the rest is in the log: /spinet/network)" : ""))));
}

/** #from=100&to=200&show=spikes opens the report at a part of the run. */
function fromAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1)), number = (key) => (wanted.has(key) && Number.isFinite(Number(wanted.get(key))) ? Number(wanted.get(key)) : undefined);
  const change = {};
  for (const key of ["from", "to", "low", "high"]) if (number(key) !== undefined) change[key] = number(key);
  if (["auto", "density", "spikes"].includes(wanted.get("show"))) {
    change.mode = wanted.get("show");
    const select = document.querySelector("#raster select");
    if (select) select.value = change.mode;
  }
  setView(change);
}

page();
printing();
fromAddress();
redrawAll();
window.addEventListener("hashchange", fromAddress);
new ResizeObserver(() => { if (figures.some((f) => f.plot.clientWidth !== f.width)) redrawAll(); }).observe(document.getElementById("report"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { figures.forEach((f) => f.recolour?.()); redrawAll(); });
document.documentElement.dataset.ready = "true";
