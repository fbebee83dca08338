// What `spinet train` leaves: curves against epochs, the confusion of classes, filters, the worst images.

const percents = (x, digits = 4) => (x === null || x === undefined ? "–" : `${short(100 * x, digits)} %`);

/** Buttons, dragging, wheel with Ctrl and double click, for figures against epochs; the window is `view`. */
function zoomButtons() {
  const zoom = (factor) => () => {
    const middle = (view.from + view.to) / 2, half = ((view.to - view.from) * factor) / 2;
    setView({ from: middle - half, to: middle + half });
  };
  const move = (part) => () => setView({ from: view.from + part * (view.to - view.from), to: view.to + part * (view.to - view.from) });
  const button = (label, text, onclick) => el("button", { type: "button", "aria-label": label, title: label, onclick }, text);
  return [button("Zoom in", "+", zoom(0.5)), button("Zoom out", "−", zoom(2)), button("Earlier", "‹", move(-0.5)), button("Later", "›", move(0.5)),
    button("Show all epochs", "all", () => setView({ from: 0, to: data.end_ms }))];
}
function zoomByHand(chart) {
  const at = (e) => chart.fromPixel((e.clientX - chart.root.getBoundingClientRect().left) * (chart.width / chart.root.getBoundingClientRect().width));
  let begin;
  const band = svg("rect", { y: chart.inner.top, height: chart.inner.height, fill: "var(--accent)", "fill-opacity": .15, visibility: "hidden" });
  chart.root.append(band);
  const place = (a, b) => {
    band.setAttribute("x", Math.min(chart.xs(a), chart.xs(b)));
    band.setAttribute("width", Math.abs(chart.xs(a) - chart.xs(b)));
    band.setAttribute("visibility", "visible");
  };
  chart.root.addEventListener("pointerdown", (e) => { if (e.button === 0) begin = at(e); });
  chart.root.addEventListener("pointermove", (e) => { if (begin !== undefined) place(begin, at(e)); });
  chart.root.addEventListener("pointerleave", () => { begin = undefined; band.setAttribute("visibility", "hidden"); });
  chart.root.addEventListener("pointerup", (e) => {
    const from = begin, to = at(e);
    begin = undefined;
    band.setAttribute("visibility", "hidden");
    if (from !== undefined && Math.abs(chart.xs(from) - chart.xs(to)) > 8) setView({ from: Math.min(from, to), to: Math.max(from, to) });
  });
  chart.root.addEventListener("dblclick", () => setView({ from: 0, to: data.end_ms }));
  chart.root.addEventListener("wheel", (e) => {
    if (!e.ctrlKey) return;
    e.preventDefault();
    const middle = at(e), factor = e.deltaY < 0 ? 0.8 : 1.25;
    setView({ from: middle - (middle - view.from) * factor, to: middle + (view.to - middle) * factor });
  });
}

/** Lines over epochs; `lines`: {name, column, dashes}; `text`: how a value is read. */
function makeEpochs({ id, figure: about, lines, label, scale = 1, read, most }) {
  const t = data.training, shown = lines.filter((l) => t.epochs[l.column].some((x) => x !== null)).map((l, k) => ({ ...l, values: t.epochs[l.column].map((x) => (x === null ? null : x * scale)), colour: colours(k) }));
  function draw(plot, width, me) {
    const first = Math.max(0, Math.ceil(view.from) - 1), last = Math.min(t.epochs.loss.length, Math.floor(view.to));
    const seen = shown.flatMap((l) => l.values.slice(first, last)).filter((x) => x !== null), low = Math.min(...seen), high = Math.max(...seen);
    const [from, to] = seen.length ? [low, high] : [0, 1], room = (to - from || Math.abs(to) || 1) * 0.06;
    const chart = axes(plot, width, 260, { from: view.from, to: view.to, label: "epoch", least: 1 }, { from: Math.max(0, from - room), to: Math.min(most ?? Infinity, to + room), label },
      { key: shown.map((l) => ({ text: l.name, colour: l.colour, dashes: l.dashes })), describe: about.title });
    for (const l of shown) {
      let d = "", pen = "M";
      l.values.forEach((x, i) => {
        if (x === null) return (pen = "M");
        d += `${pen}${chart.xs(i + 1).toFixed(1)} ${chart.ys(x).toFixed(1)}${pen === "M" ? "h0.01" : ""}`;
        pen = "L";
      });
      chart.marks.append(svg("path", { d, fill: "none", stroke: l.colour, "stroke-width": 1.6, "stroke-linejoin": "round", "stroke-linecap": "round", "stroke-dasharray": l.dashes || null }));
    }
    if (t.best) chart.marks.append(svg("line", { class: "best", x1: chart.xs(t.best), x2: chart.xs(t.best), y1: chart.inner.top, y2: chart.inner.top + chart.inner.height, stroke: "var(--soft)", "stroke-dasharray": "2 3" }));
    readout(plot, chart, (x) => {
      const i = Math.round(x) - 1;
      if (i < 0 || i >= t.epochs.loss.length) return null;
      return [[`epoch ${i + 1}${i + 1 === t.best ? ", the best" : ""}`], ...shown.map((l) => [`${l.name}  ${l.values[i] === null ? "–" : read(l.values[i])}`, l.colour])];
    });
    zoomByHand(chart);
    me.text.textContent = about.caption;
  }
  const me = figure({
    id, text: about, draw,
    tools: [el("span", { class: "hands" }, zoomButtons()), csvButton(about.name, function* () {
      yield ["epoch", ...shown.map((l) => l.column)];
      for (let i = 0; i < t.epochs.loss.length; ++i) yield [i + 1, ...shown.map((l) => t.epochs[l.column][i])];
    })],
  });
  timeFigures.push(me);
  return me;
}

/** How often images of a label got an answer: `confusion` is [label][answer] of so many classes. */
function makeConfusion({ figure: about, classes: n, confusion, caption }) {
  const row = (k) => confusion.slice(k * n, (k + 1) * n);
  function draw(plot, width, me) {
    const left = 60, top = 34, size = Math.max(12, Math.min(46, (width - left - 110) / n)), all = n * size;
    const root = svg("svg", { role: "img", "aria-label": about.title, viewBox: `0 0 ${width} ${top + all + 30}` });
    root.append(svg("text", { class: "label", x: left, y: 12 }, "answer"), svg("text", { class: "label", x: 0, y: top + 12 }, "label"), svg("text", { class: "tick", x: left + all + 10, y: top - 8 }, "right"));
    for (let k = 0; k < n; ++k) {
      const values = row(k), of = sum(values);
      root.append(svg("text", { class: "tick", x: left + (k + 0.5) * size, y: top - 8, "text-anchor": "middle" }, String(k)), svg("text", { class: "tick", x: left - 8, y: top + (k + 0.5) * size + 4, "text-anchor": "end" }, String(k)),
        svg("text", { class: "tick", x: left + all + 10, y: top + (k + 0.5) * size + 4 }, of ? percents(values[k] / of, 3) : "–"));
      values.forEach((count, j) => {
        const part = of ? count / of : 0, colour = k === j ? "var(--c0)" : "var(--c1)";
        const cell = svg("rect", { x: left + j * size, y: top + k * size, width: size - 1, height: size - 1, fill: colour, "fill-opacity": (0.04 + 0.96 * part ** 0.6).toFixed(3) }, svg("title", {}, `label ${k}, answer ${j}: ${plural(count, "image")}, ${percents(part, 3)} of this label`));
        root.append(cell);
        if (size >= 24 && count) root.append(svg("text", { class: part ** 0.6 > 0.55 ? "on" : "tick", x: left + (j + 0.5) * size, y: top + (k + 0.5) * size + 4, "text-anchor": "middle", style: part ** 0.6 > 0.55 ? "fill: var(--page)" : null }, grouped(count)));
      });
    }
    plot.replaceChildren(root);
    me.text.textContent = `${caption} A row is a label, a column what is answered.`;
  }
  return figure({
    id: "confusion", text: about, draw,
    tools: csvButton(about.name, function* () {
      yield ["label", ...row(0).map((_, j) => `answer_${j}`)];
      for (let k = 0; k < n; ++k) yield [k, ...row(k)];
    }),
  });
}

/** Numbers 0 to 255 as a picture in the page; `paint` says the colour of one: [r, g, b]. */
function pixelImage(width, height, paint) {
  const canvas = el("canvas", { width, height }), context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) image.data.set([...paint(x, y), 255], 4 * (y * width + x));
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
/** Pictures side by side, each `size` wide, with lines of text under it. */
function gallery(plot, width, describe, { size, height, lines }, pictures) {
  const gap = 12, across = Math.max(1, Math.floor((width + gap) / (size + gap))), tall = height + 15 * lines + 12, rows = Math.ceil(pictures.length / across);
  const root = svg("svg", { role: "img", "aria-label": describe, viewBox: `0 0 ${width} ${rows * tall}` });
  pictures.forEach((p, k) => {
    const x = (k % across) * (size + gap), y = Math.floor(k / across) * tall;
    root.append(svg("image", { x, y, width: size, height, href: p.image, preserveAspectRatio: "none", style: "image-rendering: pixelated" }, svg("title", {}, p.title)), svg("rect", { x, y, width: size, height, fill: "none", stroke: "var(--edge)" }));
    p.text.forEach((line, l) => root.append(svg("text", { x, y: y + height + 13 + 15 * l }, line)));
  });
  plot.replaceChildren(root);
}

function makeFilters() {
  const f = data.training.filters, [out, inputs, rows, columns] = f.shape, area = rows * columns, most = largest(f.values.map(Math.abs)) || 1;
  const at = (o, c, x, y) => f.values[((o * inputs + c) * rows + y) * columns + x];
  const paint = (v) => { const part = Math.min(1, Math.abs(v) / most) ** 0.8, full = v > 0 ? rgb("--c1") : rgb("--c0"); return full.map((c) => Math.round(255 + (c - 255) * part)); };
  const pictures = [];
  function draw(plot, width, me) {
    if (!pictures.length)
      for (let o = 0; o < out; ++o)
        for (let c = 0; c < inputs; ++c)
          pictures.push({ image: pixelImage(columns, rows, (x, y) => paint(at(o, c, x, y))), title: `filter ${o}, input channel ${c}`, text: [inputs > 1 ? `${o}, from ${c}` : `${o}`] });
    const size = 64;
    gallery(plot, width, data.training.figures.filters.title, { size, height: Math.max(8, (size * rows) / columns), lines: 1 }, pictures);
    me.text.textContent = `Weights of ${f.name}, ${plural(out, "filter")} of ${rows} x ${columns} on ${plural(inputs, "channel")}: red above 0, blue below, full at ${short(most)}.${f.of > out ? ` The first ${out} of ${f.of}.` : ""}`;
  }
  const me = figure({
    id: "filters", text: data.training.figures.filters, draw,
    tools: csvButton(data.training.figures.filters.name, function* () {
      yield ["filter", "channel", "row", "column", "weight"];
      for (let k = 0; k < f.values.length; ++k) yield [Math.floor(k / (area * inputs)), Math.floor(k / area) % inputs, Math.floor(k / columns) % rows, k % columns, f.values[k]];
    }),
  });
  me.recolour = () => { pictures.length = 0; };
  return me;
}

function makeWorst() {
  const t = data.training, { channels, height, width: columns } = t.worst.shape, pixels = decode(t.worst.pixels), one = channels * height * columns;
  const flat = height * columns === 1, rows = flat ? 1 : height, across = flat ? channels : columns;  // numbers without rows are one row
  const value = (k, c, x, y) => (flat ? pixels[k * one + x] : pixels[k * one + (c * height + y) * columns + x]);
  const paint = (k) => (x, y) => (channels === 3 && !flat ? [0, 1, 2].map((c) => value(k, c, x, y)) : Array(3).fill(value(k, 0, x, y)));
  const pictures = t.worst.images.map((w, k) => ({ image: pixelImage(across, rows, paint(k)), title: `test image ${w.image}: ${w.label}, taken for ${w.answer}, loss ${short(w.loss)}`, text: [`${w.label}, not ${w.answer}`, `no. ${w.image}`] }));
  function draw(plot, width, me) {
    gallery(plot, width, t.figures.worst.title, { size: 84, height: Math.max(10, (84 * rows) / across), lines: 2 }, pictures);
    me.text.textContent = pictures.length ? "Test images of which the best model is wrong and surest: their label, not its answer, and their number in the file." : "The best model is wrong of no test image.";
  }
  return figure({
    id: "worst", text: t.figures.worst, draw,
    tools: csvButton(t.figures.worst.name, function* () {
      yield ["image", "label", "answer", "loss"];
      for (const w of t.worst.images) yield [w.image, w.label, w.answer, w.loss];
    }),
  });
}

function epochTable() {
  const t = data.training, e = t.epochs, columns = [["rate", (x) => short(x, 4)], ["loss", (x) => short(x, 4)], ["accuracy", percents], ["validation_accuracy", percents], ["test_accuracy", percents], ["recalibrated_accuracy", percents], ["seconds", (x) => seconds(x, 3)]];
  const heads = ["epoch", "rate", "loss", "training", "validation", "test", "recalibrated", "time"], all = Object.keys(e);
  const row = (i) => el("tr", {}, el("td", {}, i + 1 === t.best ? el("strong", {}, `${i + 1}, the best`) : String(i + 1)), columns.map(([name, text]) => el("td", {}, e[name][i] === null ? "–" : text(e[name][i]))));
  const csv = csvButton("epochs", function* () {
    yield ["epoch", ...all];
    for (let i = 0; i < e.loss.length; ++i) yield [i + 1, ...all.map((name) => e[name][i])];
  });
  return el("figure", { id: "epochs" }, el("div", { class: "bar" }, el("h3", {}, "Epochs"), csv),
    el("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Table of epochs" }, el("table", {}, el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, e.loss.map((_, i) => row(i))))));
}

function trainingFacts() {
  const t = data.training, fact = (name, value, small) => el("div", {}, el("dt", {}, name), el("dd", {}, value, small && el("small", {}, " ", small)));
  const best = t.best - 1, e = t.epochs, all = sum(e.seconds);
  return el("dl", { class: "facts" }, t.best ? [fact("test accuracy", percents(e.test_accuracy[best]), `epoch ${t.best}`), fact("recalibrated", percents(e.recalibrated_accuracy[best])),
    fact("validation", percents(e.validation_accuracy[best])), fact("last epoch", percents(e.test_accuracy.at(-1)), "test")] : [],
  fact("epochs", grouped(e.loss.length), `of ${grouped(t.wanted)}`), fact("time", seconds(all), e.loss.length ? `${seconds(all / e.loss.length, 3)} each` : ""), fact("parameters", grouped(t.parameters)), fact("version", data.run.version));
}

function trainingPage(add) {
  const t = data.training, pair = (name, value) => (value ? [el("dt", {}, name), el("dd", {}, value)] : []);
  add(el("header", {}, el("h1", {}, data.run.network), el("p", { class: "soft" }, `${data.run.path} · training ${t.status}`)), trainingFacts());
  if (t.message) add(el("p", { class: "warning serious", role: "note" }, el("strong", {}, "Warning"), t.message));
  if (t.best && t.chosen_by === "test") add(el("p", { class: "warning", role: "note" }, el("strong", {}, "Note"), "The best epoch is chosen by its accuracy on the test images, which flatters it: no images were kept apart to validate with."));
  if (t.epochs.loss.length) {
    add(el("h2", {}, "Training"), makeEpochs({ id: "accuracy", figure: t.figures.accuracy, label: "accuracy (%)", scale: 100, most: 100, read: (x) => `${x.toFixed(2)} %`, lines: [{ name: "training", column: "accuracy" }, { name: "validation", column: "validation_accuracy" }, { name: "test", column: "test_accuracy" }, { name: "test, recalibrated", column: "recalibrated_accuracy", dashes: "7 3" }] }).node);
    add(makeEpochs({ id: "loss", figure: t.figures.loss, label: "cross entropy", read: (x) => short(x, 4), lines: [{ name: "training", column: "loss" }, { name: "validation", column: "validation_loss" }, { name: "test", column: "test_loss" }] }).node);
    add(el("p", { class: "note hands" }, "Drag over a part to see it alone; the wheel with Ctrl zooms; a double click shows all."), epochTable());
  }
  if (t.confusion.length) add(el("h2", {}, "Answers"), makeConfusion({ figure: t.figures.confusion, classes: t.classes, confusion: t.confusion, caption: `The best model on ${plural(t.test.images, "test image")}: ${grouped(t.test.right)} right, ${percents(t.test.images ? t.test.right / t.test.images : 0)}.` }).node);
  if (t.worst.images.length) add(makeWorst().node);
  if (t.filters) add(el("h2", {}, "Weights"), makeFilters().node);
  add(el("h2", {}, "What was trained"), el("figure", { id: "provenance" }, el("dl", { class: "pairs" }, pair("network", `${data.run.network} (${data.run.path})`), pair("command", el("code", {}, t.command_line)), pair("images", t.data), pair("changed with --set", t.overrides.join("  ")), t.recipe.flatMap((line) => pair(...line.split(/ = (.*)/s).slice(0, 2))), pair("model", `${data.run.file}, ${bytes(data.run.bytes)}`))));
  add(el("details", { style: "margin-top:16px", open: data.yaml.length < 3000 ? "" : null }, el("summary", {}, "The network as it was read"), el("pre", { id: "yaml" }, data.yaml)));
}
