// The raster: density of all spikes when zoomed out, spikes one by one when zoomed in.
const view = { from: 0, to: data.end_ms, low: 0, high: 1, mode: "auto" };  // low, high: part of the stack of populations, 0 at the top
const hidden = new Set();

/** `stack`: the raster whose part of the stack changes. */
function setView(change, stack = view) {
  for (const [key, value] of Object.entries(change)) (key === "from" || key === "to" ? view : stack)[key] = value;
  const least = Math.max(data.ms_per_tick * 20, 1e-9);
  const span = Math.min(data.end_ms, Math.max(least, view.to - view.from));
  view.from = Math.max(0, Math.min(data.end_ms - span, view.from));
  view.to = view.from + span;
  const part = Math.min(1, Math.max(1e-4, stack.high - stack.low));
  stack.low = Math.max(0, Math.min(1 - part, stack.low));
  stack.high = stack.low + part;
  timeFigures.forEach((f) => f.redraw());
}
const timeFigures = [];

/** Which populations excite and which inhibit; none if none is known to. */
function meaning(populations) {
  const of = (sign) => populations.filter((p) => Math.sign(p.sign ?? 0) === sign), names = (list) => (list.length > 8 ? plural(list.length, "population") : list.map((p) => p.name).join(", "));
  const known = [["excitatory", of(1)], ["inhibitory", of(-1)]].filter(([, list]) => list.length);
  return known.length ? `${known.map(([what, list]) => `${what}: ${names(list)}`).join("; ").replace(/^./, (c) => c.toUpperCase())}. ` : "";
}

/** `stack`: what of the populations is shown, {low, high, mode}. */
function makeRaster(list, { id, text, stack }) {
  const populations = list.map((p) => ({ ...p, density: { ...p.density, counts: decodeDensity(p.density) }, points: { ...p.points, ...decodePoints(p.points) } }));
  for (const p of populations) {
    // Colours span what most cells hold, so that a busy population still shows its fluctuations.
    const sorted = p.density.counts.slice().sort(), at = (part) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
    p.faint = at(0.02);
    p.full = Math.max(at(0.98), p.faint + 1);
  }
  const root = (p) => Math.sqrt(p.size), opacity = (part) => part ** 0.7;

  /** Where each shown population lies in the stack. */
  function bands() {
    const shown = populations.filter((p) => !hidden.has(p.index)), gap = shown.length > 1 ? 0.02 : 0, room = 1 - gap * Math.max(0, shown.length - 1);
    let weights = shown.map(root);
    const least = 0.05 * sum(weights);
    weights = weights.map((w) => Math.max(w, least));
    const all = sum(weights) || 1;
    let at = 0;
    return shown.map((p, k) => {
      const band = { p, top: at, height: (room * weights[k]) / all };
      at += band.height + gap;
      return band;
    });
  }

  /** The density as an image in the population's colour; opacity grows with the count. */
  function image(p) {
    const { rows, columns, counts } = p.density, [r, g, b] = rgb(p.variable);
    const canvas = el("canvas", { width: columns, height: rows }), context = canvas.getContext("2d"), pixels = context.createImageData(columns, rows);
    for (let row = 0; row < rows; ++row)
      for (let c = 0; c < columns; ++c) {
        const n = counts[row * columns + c];
        if (!n) continue;
        const at = 4 * ((rows - 1 - row) * columns + c);
        pixels.data[at] = r, pixels.data[at + 1] = g, pixels.data[at + 2] = b;
        pixels.data[at + 3] = 25 + 230 * opacity(Math.max(0, Math.min(1, (n - p.faint) / (p.full - p.faint))));
      }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  function lowerBound(sorted, x) {
    let a = 0, b = sorted.length;
    while (a < b) { const m = (a + b) >> 1; if (sorted[m] < x) a = m + 1; else b = m; }
    return a;
  }

  const canvas = el("canvas", { class: "live", tabindex: 0, role: "img",
    "aria-label": "Spike raster. Arrow keys move, plus and minus zoom in time, star and underscore zoom in neurons, 0 shows all." });

  /** Room for the names at the left. */
  function room(width) {
    const name = largest(populations.filter((p) => !hidden.has(p.index)).map((p) => measure(p.name, 12)));
    return Math.max(width < 500 ? 62 : 92, Math.min(name * 1.08 + 16, width * 0.3));
  }
  function visibleBands() {
    return bands().map((b) => {
      const first = lowerBound(b.p.points.ms, view.from), last = lowerBound(b.p.points.ms, view.to);
      const share = Math.max(0, Math.min(b.top + b.height, stack.high) - Math.max(b.top, stack.low)) / b.height;
      return { ...b, first, last, share };
    }).filter((b) => b.share > 0);
  }

  function draw(plot, width, me) {
    // A few neurons need no tall raster.
    const rows = sum(populations.filter((p) => !hidden.has(p.index)).map((p) => p.size));
    const height = Math.min(Math.max(300, Math.min(460, width * 0.5)), 80 + 36 * Math.max(1, rows)), left = room(width);
    const focused = document.activeElement === canvas, visible = visibleBands();
    const tall = height - 54, y = (part) => ((part - stack.low) / (stack.high - stack.low)) * tall;
    const spikes = sum(visible.map((b) => (b.last - b.first) * b.share));
    // As many single spikes as the eye can tell apart.
    const crowd = spikes / ((width - left - 10) * tall), one = stack.mode === "spikes" || (stack.mode === "auto" && crowd <= 0.12);
    for (const b of visible) Object.assign(b, { at: y(b.top), tall: y(b.top + b.height) - y(b.top) });
    const key = one ? visible.filter((b) => !named(b, left, tall)).map((b) => ({ text: b.p.name, colour: b.p.colour }))
      : visible.map((b) => ({ text: `spikes per cell, ${b.p.name}`, colour: b.p.colour, variable: b.p.variable, from: b.p.faint, to: b.p.full, curve: opacity }));
    const chart = axes(plot, width, height, timeAxis(view.from, view.to), { from: 0, to: 1, label: text.y }, { left, noY: true, key, describe: `${text.title} by population` });
    const { inner } = chart, density = onPaper() ? 4 : window.devicePixelRatio || 1, percent = (part, whole) => `${(100 * part) / whole}%`;
    Object.assign(canvas, { width: Math.round(inner.width * density), height: Math.round(inner.height * density) });
    // Shares of the drawing, so that the spikes stay at their times however wide it is shown.
    canvas.style.cssText = `left:${percent(inner.left, width)};top:${percent(inner.top, chart.height)};width:${percent(inner.width, width)};height:${percent(inner.height, chart.height)}`;
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const marks = visible.map((b) => paint(context, b, one, inner, crowd));
    for (const b of visible) label(chart.root, b, inner, left);
    canvas.dataset.marks = sum(marks);
    canvas.dataset.shown = one ? "spikes" : "density";
    // Paper gets one drawing: a canvas over it may be printed as it was for the window.
    if (onPaper()) chart.marks.append(one && sum(marks) <= 30000 ? vectors(visible, inner, crowd)
      : svg("image", { href: canvas.toDataURL(), x: inner.left, y: inner.top, width: inner.width, height: inner.height, preserveAspectRatio: "none" }));
    else plot.append(canvas);
    me.focused ||= focused;  // paper has no focus; afterwards it is where it was
    if (me.focused && !onPaper()) canvas.focus({ preventScroll: true }), (me.focused = false);
    me.text.textContent = describe(visible, one, spikes);
  }

  /** Draws a population; the number of marks. */
  function paint(context, b, one, inner, crowd) {
    context.save();
    context.beginPath();
    context.rect(0, b.at, inner.width, b.tall);
    context.clip();
    let marks = 1;
    if (one) {
      context.fillStyle = `rgb(${rgb(b.p.variable).join(" ")} / ${crowd > 0.05 ? 0.65 : 0.9})`;
      marks = eachMark(b, inner, crowd, (x, y, wide, high) => context.fillRect(x, y, wide, high));
    } else {
      const perMs = b.p.density.columns / data.end_ms;
      context.imageSmoothingEnabled = (view.to - view.from) * perMs > inner.width;
      b.p.image ??= image(b.p);
      context.drawImage(b.p.image, view.from * perMs, 0, Math.max(1e-6, (view.to - view.from) * perMs), b.p.density.rows, 0, b.at, inner.width, b.tall);
    }
    context.restore();
    return marks;
  }
  /** Calls `mark(x, y, width, height)` for every spike in view; the number of marks. */
  function eachMark(b, inner, crowd, mark) {
    const { points } = b.p, scale = inner.width / (view.to - view.from), row = b.tall / Math.max(1, points.rows);
    // Marks are as tall as their row; rows too thin to be seen overlap, the less the more spikes there are.
    const high = Math.max(crowd < 0.008 ? 4 : crowd < 0.05 ? 2.4 : 1.3, Math.min(row * 0.8, 22)), wide = crowd < 0.016 ? 1.6 : 1.1;
    let marks = 0;
    for (let i = b.first; i < b.last; ++i) {
      const at = b.at + b.tall - (points.row[i] + 0.5) * row - high / 2;
      if (at < -high || at > inner.height) continue;
      mark((points.ms[i] - view.from) * scale - wide / 2, at, wide, high);
      ++marks;
    }
    return marks;
  }
  /** The spikes as lines of an SVG, a path for each population. */
  function vectors(visible, inner, crowd) {
    return svg("g", {}, visible.map((b) => {
      let d = "", width = 1;
      const { from, to } = within(b, inner.height), high = (y) => (inner.top + Math.max(from, Math.min(to, y))).toFixed(2);
      eachMark(b, inner, crowd, (x, y, wide, tall) => { d += `M${(inner.left + x + wide / 2).toFixed(2)} ${high(y)}V${high(y + tall)}`; width = wide; });
      return svg("path", { d, fill: "none", stroke: `rgb(${rgb(b.p.variable).join(",")})`, "stroke-width": width, "data-population": b.p.name });
    }));
  }

  /** What of a band is in view, from the top of the plot. */
  const within = (b, tall) => ({ from: Math.max(0, b.at), to: Math.min(tall, b.at + b.tall) });
  /** The lines of a population's name, if the whole of it has room beside its band. */
  function named(b, left, tall) {
    const { from, to } = within(b, tall), lines = wrapped(b.p.name, left - 14, 12.5);
    return to - from >= 9 && lines.length * 13 <= to - from + 4 ? lines : null;
  }
  function label(root, b, inner, left) {
    const { from, to } = within(b, inner.height), lines = named(b, left, inner.height);
    (lines ?? []).forEach((l, k) => root.append(svg("text", { class: "strong", x: left - 8, y: inner.top + Math.min(to - 2, from + 11) + 13 * k, "text-anchor": "end", style: `fill:${b.p.colour}` }, l)));
    // Numbers of neurons, rising upwards, as far as there is room under the name.
    const index = (px) => ((b.at + b.tall - px) / b.tall) * b.p.size, under = 9 + 13 * (lines?.length ?? 0);
    if (to - from >= under + 22 && b.p.size > 1)
      for (const n of ticks(Math.max(0, index(to)), Math.min(b.p.size, index(from + under)), Math.max(1, (to - from) / 44))) {
        if (n % 1) continue;
        const at = b.at + b.tall - (n / b.p.size) * b.tall;
        root.append(svg("text", { class: "tick", x: left - 8, y: inner.top + Math.min(at + 4, to), "text-anchor": "end" }, grouped(n)),
          svg("line", { class: "axis", x1: left - 5, x2: left, y1: inner.top + at, y2: inner.top + at }));
      }
    if (to > from) root.append(svg("line", { class: "axis", x1: left, x2: left, y1: inner.top + from, y2: inner.top + to }));
  }

  /** What the eye sees, in words: nothing is left out without saying so. */
  function describe(visible, one, points) {
    if (!visible.length) return "Nothing to show.";
    if (!one) {
      const cells = visible.map((b) => `${plural(Math.round(b.p.size / b.p.density.rows), "neuron")} of ${b.p.name}`);
      return `${meaning(populations)}Shown: the density of all spikes (${grouped(sum(visible.map((b) => b.p.spikes)))} in the run); one cell is ${milliseconds(data.end_ms / visible[0].p.density.columns, 3)} by ${cells.join(", ")}.${onPaper() ? "" : " Zoom in to see spikes one by one."}`;
    }
    const parts = visible.filter((b) => !b.p.points.whole && b.p.spikes > 0);
    const left = parts.map((b) => `${grouped(b.p.points.rows)} of the ${grouped(b.p.size)} neurons of ${b.p.name}`);
    const what = parts.length ? `every spike of ${left.join(", ")}, evenly spaced${parts.length < visible.length ? ", and of all neurons of the others" : ""}; the spikes of the remaining neurons are only in the density` : "every spike";
    return `${meaning(populations)}Shown: ${what}. ${visible.every((b) => b.share > 0.9999) ? "" : "About "}${plural(points, "spike")} in view.`;
  }

  function zoom(factor, at = 0.5, neurons = false) {
    const [from, to] = neurons ? ["low", "high"] : ["from", "to"], range = neurons ? stack : view;
    const span = range[to] - range[from], centre = range[from] + at * span;
    setView({ [from]: centre - at * span * factor, [to]: centre + (1 - at) * span * factor }, stack);
  }
  function move(dx, dy) {
    const t = (view.to - view.from) * dx, n = (stack.high - stack.low) * dy;
    setView({ from: view.from + t, to: view.to + t, low: stack.low + n, high: stack.high + n }, stack);
  }
  const all = () => setView({ from: 0, to: data.end_ms, low: 0, high: 1 }, stack);

  function listen() {
    canvas.addEventListener("wheel", (e) => {
      // Plain wheels scroll the page; with a key, or once the raster has the focus, they zoom.
      if (!e.ctrlKey && !e.shiftKey && document.activeElement !== canvas) return;
      e.preventDefault();
      const box = canvas.getBoundingClientRect(), delta = e.deltaY || e.deltaX;
      if (e.shiftKey) zoom(Math.exp(delta * 0.002), (e.clientY - box.top) / box.height, true);
      else zoom(Math.exp(delta * 0.002), (e.clientX - box.left) / box.width);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      let { clientX: x, clientY: y } = e;
      const drag = (m) => {
        move(-(m.clientX - x) / canvas.clientWidth, e.pointerType === "touch" ? 0 : -(m.clientY - y) / canvas.clientHeight);
        x = m.clientX, y = m.clientY;
      };
      const done = () => { window.removeEventListener("pointermove", drag); window.removeEventListener("pointerup", done); window.removeEventListener("pointercancel", done); };
      window.addEventListener("pointermove", drag);
      window.addEventListener("pointerup", done);
      window.addEventListener("pointercancel", done);
    });
    canvas.addEventListener("dblclick", all);
    canvas.addEventListener("keydown", (e) => {
      const act = { ArrowLeft: () => move(-0.2, 0), ArrowRight: () => move(0.2, 0), ArrowUp: () => move(0, -0.2), ArrowDown: () => move(0, 0.2),
        "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), _: () => zoom(2, 0.5, true), "*": () => zoom(0.5, 0.5, true), 0: all }[e.key];
      if (act) e.preventDefault(), act();
    });
  }

  listen();
  const button = (text, title, act) => el("button", { type: "button", title, "aria-label": title, onclick: act }, text);
  const mode = el("select", { "aria-label": "What the raster shows", onchange: (e) => setView({ mode: e.target.value }, stack) },
    [["auto", "Automatic"], ["density", "Density"], ["spikes", "Spikes"]].map(([value, text]) => el("option", { value }, text)));
  const me = figure({
    id, text, draw,
    tools: [mode, button("−", "Zoom out in time", () => zoom(2)), button("+", "Zoom in in time", () => zoom(0.5)), button("←", "Earlier", () => move(-0.5, 0)), button("→", "Later", () => move(0.5, 0)),
      button("Neurons +", "Zoom in in neurons", () => zoom(0.5, 0.5, true)), button("All", "Show the whole run", all),
      csvButton(id === "raster" ? "spikes" : "source_spikes", function* () {
        yield ["population", "neuron", "time_ms"];
        for (const p of populations) for (let i = 0; i < p.points.count; ++i) yield [p.name, p.points.nodes ? p.points.nodes[p.points.row[i]] : p.points.row[i], p.points.ms[i]];
      }, populations.every((p) => p.points.whole) ? "CSV" : "CSV of the sample"),
      csvButton(id === "raster" ? "density" : "source_density", function* () {
        yield ["population", "first_neuron", "from_ms", "to_ms", "spikes"];
        for (const p of populations) {
          const { rows, columns, counts } = p.density;
          for (let r = 0; r < rows; ++r) for (let c = 0; c < columns; ++c)
            if (counts[r * columns + c]) yield [p.name, Math.ceil((r * p.size) / rows), (c * data.end_ms) / columns, ((c + 1) * data.end_ms) / columns, counts[r * columns + c]];
        }
      }, "CSV of the density")],
  });
  me.recolour = () => populations.forEach((p) => delete p.image);
  me.mode = mode;
  timeFigures.push(me);
  return me;
}
