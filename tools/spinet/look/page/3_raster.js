// The raster: density of all spikes when zoomed out, spikes one by one when zoomed in.
const view = { from: 0, to: data.end_ms, low: 0, high: 1, mode: "auto" };  // low, high: part of the stack of populations, 0 at the top
const hidden = new Set();

function setView(change) {
  Object.assign(view, change);
  const least = Math.max(data.ms_per_tick * 20, 1e-9);
  const span = Math.min(data.end_ms, Math.max(least, view.to - view.from));
  view.from = Math.max(0, Math.min(data.end_ms - span, view.from));
  view.to = view.from + span;
  const part = Math.min(1, Math.max(1e-4, view.high - view.low));
  view.low = Math.max(0, Math.min(1 - part, view.low));
  view.high = view.low + part;
  timeFigures.forEach((f) => f.redraw());
}
const timeFigures = [];

function makeRaster() {
  const populations = data.populations.map((p, i) => ({ ...p, index: i, density: { ...p.density, counts: decodeDensity(p.density) }, points: { ...p.points, ...decodePoints(p.points) } }));
  for (const p of populations) {
    // Colours span what most cells hold, so that a busy population still shows its fluctuations.
    const sorted = p.density.counts.slice().sort(), at = (part) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
    p.faint = at(0.02);
    p.full = Math.max(at(0.98), p.faint + 1);
  }
  const root = (p) => Math.sqrt(p.size);

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
    const { rows, columns, counts } = p.density, [r, g, b] = rgb(p.index);
    const canvas = el("canvas", { width: columns, height: rows }), context = canvas.getContext("2d"), pixels = context.createImageData(columns, rows);
    for (let row = 0; row < rows; ++row)
      for (let c = 0; c < columns; ++c) {
        const n = counts[row * columns + c];
        if (!n) continue;
        const at = 4 * ((rows - 1 - row) * columns + c);
        pixels.data[at] = r, pixels.data[at + 1] = g, pixels.data[at + 2] = b;
        pixels.data[at + 3] = 25 + 230 * Math.max(0, Math.min(1, (n - p.faint) / (p.full - p.faint))) ** 0.7;
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

  function draw(plot, width, me) {
    // A few neurons need no tall raster.
    const rows = sum(populations.filter((p) => !hidden.has(p.index)).map((p) => p.size));
    const height = Math.min(Math.max(300, Math.min(460, width * 0.5)), 80 + 36 * Math.max(1, rows)), left = width < 500 ? 62 : 92;
    const focused = document.activeElement === canvas;
    const chart = axes(plot, width, height, { from: view.from, to: view.to, label: "time (ms)" }, { from: 0, to: 1 }, { left, noY: true, top: 4, describe: "Spike raster by population" });
    const { inner } = chart, density = window.devicePixelRatio || 1;
    Object.assign(canvas, { width: Math.round(inner.width * density), height: Math.round(inner.height * density) });
    canvas.style.cssText = `left:${inner.left}px;top:${inner.top}px;width:${inner.width}px;height:${inner.height}px`;
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const y = (part) => ((part - view.low) / (view.high - view.low)) * inner.height;
    const visible = bands().map((b) => {
      const first = lowerBound(b.p.points.ms, view.from), last = lowerBound(b.p.points.ms, view.to);
      const share = Math.max(0, Math.min(b.top + b.height, view.high) - Math.max(b.top, view.low)) / b.height;
      return { ...b, first, last, share };
    }).filter((b) => b.share > 0);
    const points = sum(visible.map((b) => (b.last - b.first) * b.share));
    // As many single spikes as the eye can tell apart.
    const crowd = points / (inner.width * inner.height);
    const one = view.mode === "spikes" || (view.mode === "auto" && crowd <= 0.12);
    let drawn = 0;
    for (const b of visible) {
      const top = y(b.top), tall = y(b.top + b.height) - top;
      context.save();
      context.beginPath();
      context.rect(0, top, inner.width, tall);
      context.clip();
      if (one) drawn += drawPoints(context, b, top, tall, inner.width, crowd);
      else {
        const c = b.p.density.columns, perMs = c / data.end_ms;
        context.imageSmoothingEnabled = (view.to - view.from) * perMs > inner.width;
        b.p.image ??= image(b.p);
        context.drawImage(b.p.image, view.from * perMs, 0, Math.max(1e-6, (view.to - view.from) * perMs), b.p.density.rows, 0, top, inner.width, tall);
        ++drawn;
      }
      context.restore();
      label(chart.root, b, top, tall, inner, left);
    }
    canvas.dataset.marks = drawn;
    canvas.dataset.shown = one ? "spikes" : "density";
    plot.append(canvas);
    if (focused) canvas.focus({ preventScroll: true });
    me.text.textContent = describe(visible, one, points);
  }

  function drawPoints(context, b, top, tall, width, crowd) {
    const { points } = b.p, scale = width / (view.to - view.from), row = tall / Math.max(1, points.rows);
    // Marks are as tall as their row; rows too thin to be seen overlap, the less the more spikes there are.
    const high = Math.max(crowd < 0.008 ? 4 : crowd < 0.05 ? 2.4 : 1.3, Math.min(row * 0.8, 22)), wide = crowd < 0.016 ? 1.6 : 1.1;
    context.fillStyle = `rgb(${rgb(b.p.index).join(" ")} / ${crowd > 0.05 ? 0.65 : 0.9})`;
    let drawn = 0;
    for (let i = b.first; i < b.last; ++i) {
      const at = top + tall - (points.row[i] + 0.5) * row - high / 2;
      if (at < -high || at > context.canvas.height) continue;
      context.fillRect((points.ms[i] - view.from) * scale - wide / 2, at, wide, high);
      ++drawn;
    }
    return drawn;
  }

  function label(root, b, top, tall, inner, left) {
    const from = Math.max(0, top), to = Math.min(inner.height, top + tall);
    if (to - from < 9) return;
    root.append(svg("text", { class: "strong", x: left - 8, y: inner.top + Math.min(to - 2, from + 11), "text-anchor": "end", style: `fill:${colours(b.p.index)}` }, cut(b.p.name, left)));
    // Numbers of neurons, rising upwards, as far as there is room under the name.
    const index = (px) => ((top + tall - px) / tall) * b.p.size;
    if (to - from >= 44 && b.p.size > 1)
      for (const n of ticks(Math.max(0, index(to)), Math.min(b.p.size, index(from + 22)), Math.max(1, (to - from) / 44))) {
        if (n % 1) continue;
        const at = top + tall - (n / b.p.size) * tall;
        root.append(svg("text", { x: left - 8, y: inner.top + Math.min(at + 4, to), "text-anchor": "end" }, grouped(n)),
          svg("line", { class: "axis", x1: left - 5, x2: left, y1: inner.top + at, y2: inner.top + at }));
      }
    root.append(svg("line", { class: "axis", x1: left, x2: left, y1: inner.top + from, y2: inner.top + to }));
  }
  const cut = (name, left) => (name.length > left / 7.4 ? name.slice(0, Math.floor(left / 7.4) - 1) + "…" : name);

  /** What the eye sees, in words: nothing is left out without saying so. */
  function describe(visible, one, points) {
    if (!visible.length) return "Nothing to show.";
    if (!one) {
      const cells = visible.map((b) => `${plural(Math.round(b.p.size / b.p.density.rows), "neuron")} of ${b.p.name}`);
      const scales = visible.map((b) => `${b.p.faint} to ${b.p.full}${visible.length > 1 ? ` (${b.p.name})` : ""}`);
      return `Shown: the density of all spikes (${grouped(sum(visible.map((b) => b.p.spikes)))} in the run); one cell is ${milliseconds(data.end_ms / visible[0].p.density.columns, 3)} by ${cells.join(", ")}. Colours from faint to full: ${scales.join(", ")} spikes per cell. Zoom in to see spikes one by one.`;
    }
    const parts = visible.filter((b) => !b.p.points.whole && b.p.spikes > 0);
    const left = parts.map((b) => `${grouped(b.p.points.rows)} of the ${grouped(b.p.size)} neurons of ${b.p.name}`);
    const what = parts.length ? `every spike of ${left.join(", ")}, evenly spaced${parts.length < visible.length ? ", and of all neurons of the others" : ""}; the spikes of the remaining neurons are only in the density` : "every spike";
    return `Shown: ${what}. ${visible.every((b) => b.share > 0.9999) ? "" : "About "}${plural(points, "spike")} in view.`;
  }

  function zoom(factor, at = 0.5, neurons = false) {
    if (neurons) {
      const span = view.high - view.low, centre = view.low + at * span;
      setView({ low: centre - at * span * factor, high: centre + (1 - at) * span * factor });
    } else {
      const span = view.to - view.from, centre = view.from + at * span;
      setView({ from: centre - at * span * factor, to: centre + (1 - at) * span * factor });
    }
  }
  function move(dx, dy) {
    const t = (view.to - view.from) * dx, n = (view.high - view.low) * dy;
    setView({ from: view.from + t, to: view.to + t, low: view.low + n, high: view.high + n });
  }
  const all = () => setView({ from: 0, to: data.end_ms, low: 0, high: 1 });

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
  const mode = el("select", { "aria-label": "What the raster shows", onchange: (e) => setView({ mode: e.target.value }) },
    [["auto", "Automatic"], ["density", "Density"], ["spikes", "Spikes"]].map(([value, text]) => el("option", { value }, text)));
  const me = figure({
    id: "raster", title: "Raster", draw,
    tools: [mode, button("−", "Zoom out in time", () => zoom(2)), button("+", "Zoom in in time", () => zoom(0.5)), button("←", "Earlier", () => move(-0.5, 0)), button("→", "Later", () => move(0.5, 0)),
      button("Neurons +", "Zoom in in neurons", () => zoom(0.5, 0.5, true)), button("All", "Show the whole run", all),
      csvButton("spikes", function* () {
        yield ["population", "neuron", "time_ms"];
        for (const p of populations) for (let i = 0; i < p.points.count; ++i) yield [p.name, p.points.nodes ? p.points.nodes[p.points.row[i]] : p.points.row[i], p.points.ms[i]];
      }, populations.every((p) => p.points.whole) ? "CSV" : "CSV of the sample"),
      csvButton("density", function* () {
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
