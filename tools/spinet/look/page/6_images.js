// What a network made of the images that it was shown: `spinet run --data`.

function joules(nJ) {
  const [scale, unit] = nJ !== 0 && Math.abs(nJ) < 1 ? [1e3, "pJ"] : Math.abs(nJ) < 1e3 ? [1, "nJ"] : [1e-3, "µJ"];
  return `${short(nJ * scale, 4)} ${unit}`;
}

/** Means of an image: what each layer sent, and what devices spent. */
function imageTable() {
  const r = data.images, row = (cells) => el("tr", {}, cells.map((c) => el("td", {}, c))), mean = (x) => short(x, 6);
  const csv = csvButton("images", function* () {
    yield ["layer", "spikes_per_image", "events_per_image"];
    for (const l of r.layers) yield [l.name, l.spikes, l.events];
    for (const e of r.energy) yield [`energy_nJ ${e.projection}`, e.nJ];
  });
  return el("figure", { id: "images" }, el("div", { class: "bar" }, el("h3", {}, "An image"), csv),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of layers" }, el("table", {}, el("thead", {}, el("tr", {}, ["layer", "spikes", "events"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, r.layers.map((l) => row([l.name, mean(l.spikes), mean(l.events)])), row(["together", "", mean(sum(r.layers.map((l) => l.events)))])))),
    el("figcaption", {}, "Means over all images. Spikes: answers that are not 0, of images pixels; events: their arrivals at synapses. ",
      r.energy.length ? `Energy of devices, by their own figures: ${r.energy.map((e) => `${e.projection} ${joules(e.nJ)}`).join(", ")}; together ${joules(sum(r.energy.map((e) => e.nJ)))}.` : `Energy: ${r.without_energy}.`));
}

function imagesSection(add) {
  const r = data.images;
  if (!r) return;
  const said = `${grouped(r.right)} of ${plural(r.images, `${r.part} image`)} right, ${percents(r.accuracy)}${r.weights ? "" : ", with initial weights: nothing is learned yet"}.`;
  add(el("h2", {}, "Images"), el("p", { id: "accuracy" }, said));
  if (r.confusion.length) add(makeConfusion({ figure: data.images_figure, classes: r.classes, confusion: r.confusion, caption: said }).node);
  add(imageTable());
}
