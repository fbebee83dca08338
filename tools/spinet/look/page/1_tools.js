// Elements, numbers, and the data's encoding.
const data = JSON.parse(document.getElementById("data").textContent);

/** el("p", {class: "x", onclick: f}, "text", child) */
function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}
function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}
function fill(e, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (key === "style") e.style.cssText = value;
    else e.setAttribute(key, value);
  }
  e.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return e;
}

const grouped = (n) => (Math.round(n) || 0).toLocaleString("en-US");
function count(n) {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e4]]) if (n >= size) return `${short(n / (unit === "k" ? 1e3 : size))} ${unit}`;
  return short(n);
}
/** At most `digits` significant digits, without an exponent where that is readable. */
function short(x, digits = 3) {
  if (!Number.isFinite(x)) return "–";
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-4) return x.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e").replace("-", "−");
  return (size >= 10 ** digits ? Math.round(x).toString() : Number(x.toPrecision(digits)).toString()).replace("-", "−");
}
/** Model or wall time in a unit that fits, rounded as time_text of the command does. */
function seconds(s, digits = 4) {
  const two = (n, unit, rest, smaller) => `${n} ${unit}${rest ? ` ${rest} ${smaller}` : ""}`;
  const minutes = Math.round(s / 60), shown = Number(s.toPrecision(digits));
  if (Math.round(s) >= 3600) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  if (shown >= 60) return two(Math.floor(Math.round(s) / 60), "min", Math.round(s) % 60, "s");
  for (const [unit, size] of [["s", 1], ["ms", 1e3], ["µs", 1e6], ["ns", 1e9]]) {
    const x = Number((s * size).toPrecision(digits));
    if (x >= 1) return `${short(x, digits)} ${unit}`;
  }
  return s === 0 ? "0 s" : `${short(s * 1e12, digits)} ps`;
}
/** A rate, as `spinet info` prints it. */
const hertz = (hz) => `${Number(hz.toPrecision(4)) >= 1000 ? grouped(hz) : Number(hz.toPrecision(4))} Hz`;
const milliseconds = (ms, digits) => seconds(ms / 1e3, digits);
function bytes(n) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) if (n >= size) return `${short(n / size)} ${unit}`;
  return `${n} bytes`;
}
const plural = (n, what) => `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;
const sum = (all) => all.reduce((a, b) => a + b, 0);
const largest = (all, start = 0) => all.reduce((a, b) => (b > a ? b : a), start);

function decode(base64) {
  const text = atob(base64), out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) out[i] = text.charCodeAt(i);
  return out;
}
/** Counts of a density, row after row. */
function decodeDensity(d) {
  const raw = decode(d.data);
  if (d.bytes === 1) return raw;
  const counts = new Uint16Array(raw.length / 2);
  for (let i = 0; i < counts.length; ++i) counts[i] = raw[2 * i] | (raw[2 * i + 1] << 8);
  return counts;
}
/** Spikes one by one: LEB128 pairs of (ticks since the one before, row). */
function decodePoints(p) {
  const raw = decode(p.data), ms = new Float64Array(p.count), row = new Uint32Array(p.count);
  let at = 0, tick = 0;
  const number = () => {
    let n = 0, scale = 1, byte;
    do {
      byte = raw[at++];
      n += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte & 0x80);
    return n;
  };
  for (let i = 0; i < p.count; ++i) {
    tick += number();
    ms[i] = tick * data.ms_per_tick;
    row[i] = number();
  }
  return { ms, row };
}

/** Is the page being drawn for paper, or for a file? */
const onPaper = () => document.documentElement.classList.contains("paper");

/** Saves what is in a blob as a file beside the report. */
function download(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: `${data.run.network}_${name}`.replace(/[^\p{L}\p{N}_.-]/gu, "_") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** A button that saves a table.  `rows()` yields arrays; the first is the head. */
function csvButton(name, rows, label = "CSV") {
  const save = () => {
    const quoted = (x) => (typeof x === "string" && /[",\n\r]/.test(x) ? `"${x.replaceAll('"', '""')}"` : x ?? "");
    const parts = [];
    let lines = [];
    for (const row of rows()) {
      lines.push(row.map(quoted).join(","));
      if (lines.length === 10000) parts.push(lines.join("\n") + "\n"), (lines = []);
    }
    parts.push(lines.length ? lines.join("\n") + "\n" : "");
    download(`${name}.csv`, new Blob(parts, { type: "text/csv" }));
  };
  return el("button", { type: "button", class: "csv", "data-table": name, title: `Save ${name.replaceAll("_", " ")} as CSV`, onclick: save }, label);
}
