// Figures as files of their own, on white paper: SVG as drawn, PNG from it.

/** What the style sheet says, for a drawing that leaves the page. */
const drawn = ["fill", "stroke", "stroke-width", "stroke-dasharray", "fill-opacity", "stop-color", "stop-opacity", "font-size", "font-weight"];

/** Draws a figure in the light colours, whatever the page shows, while `use` looks at it. */
function drawnOnPaper(figure, use) {
  const root = document.documentElement, all = () => (figures.forEach((f) => f.recolour?.()), figure.redraw());
  root.classList.add("paper");
  all();
  try {
    return use();
  } finally {
    root.classList.remove("paper");
    all();
  }
}

/** The text of an SVG file of a figure, or null if it shows nothing. */
function pictureOf(figure) {
  return drawnOnPaper(figure, () => {
    const original = figure.plot.querySelector("svg");
    if (!original) return null;
    const copy = original.cloneNode(true), sources = [original, ...original.querySelectorAll("*")];
    [copy, ...copy.querySelectorAll("*")].forEach((e, k) => {
      const style = getComputedStyle(sources[k]);
      if (e.matches("text, rect, path, line, stop")) for (const name of drawn) e.setAttribute(name, style.getPropertyValue(name));
      if (!e.matches("image")) e.removeAttribute("style");  // whether it is smoothed
      e.removeAttribute("class");
    });
    copy.querySelectorAll('[visibility="hidden"]').forEach((e) => e.remove());
    const { width, height } = original.viewBox.baseVal, family = getComputedStyle(document.body).fontFamily;
    for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height, "font-family": family, fill: "black" })) copy.setAttribute(name, value);
    copy.prepend(svg("title", {}, `${figure.title} · ${data.run.network}`), svg("rect", { width: "100%", height: "100%", fill: "#ffffff" }));
    return new XMLSerializer().serializeToString(copy);
  });
}

function savePicture(figure, format) {
  const text = pictureOf(figure);
  if (!text) return;
  const name = `${figure.name}.${format}`;
  if (format === "svg") return download(name, new Blob([text], { type: "image/svg+xml" }));
  const image = new Image(), sharp = 3;
  image.onload = () => {
    const canvas = el("canvas", { width: Math.round(image.width * sharp), height: Math.round(image.height * sharp) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => download(name, blob), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

/** Paper has another width than the window, and shows what is folded away: all is drawn anew for it, and again after it. */
function printing() {
  const root = document.documentElement;
  let folded = [];
  const turn = (on) => {
    if (on === root.classList.contains("printing")) return;
    root.classList.toggle("printing", on);
    root.classList.toggle("paper", on);
    if (on) folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((d) => (d.open = on));
    figures.forEach((f) => f.recolour?.());
    redrawAll();
  };
  window.addEventListener("beforeprint", () => turn(true));
  window.addEventListener("afterprint", () => turn(false));
  matchMedia("print").addEventListener("change", (e) => turn(e.matches));
}
