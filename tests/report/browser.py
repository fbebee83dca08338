"""Chromium for the tests of the report's page: many pages in one start, hands in a page, and paper."""
import html.parser
import json
import os
import re
import shutil
import subprocess

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Dom(html.parser.HTMLParser):
    """Figures by id, with the tags in them and the attributes of figure and canvas."""
    def __init__(self, text):
        super().__init__()
        self.figures, self.stack, self.root = {}, [], {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "html":
            self.root = attributes
        if tag == "figure":
            self.stack.append(self.figures.setdefault(attributes.get("id"), {"attributes": attributes, "tags": {}, "canvas": {}}))
        if self.stack:
            tags = self.stack[-1]["tags"]
            tags[tag] = tags.get(tag, 0) + 1
            if tag == "canvas":
                self.stack[-1]["canvas"] = attributes

    def handle_endtag(self, tag):
        if tag == "figure":
            self.stack.pop()


# Presses every button that saves a table, and leaves the tables in the page.
SAVE_TABLES = """<script>
{
  const files = new Map(), tables = {};
  window.Blob = class { constructor(parts) { this.text = parts.join(""); } };
  URL.createObjectURL = (file) => { files.set(`blob:${files.size}`, file); return `blob:${files.size - 1}`; };
  HTMLAnchorElement.prototype.click = function () { tables[this.download] = files.get(this.href).text; };
  document.querySelectorAll("button.csv").forEach((b) => b.click());
  const out = document.createElement("script");
  out.type = "application/json", out.id = "tables", out.textContent = JSON.stringify(tables);
  document.body.append(out);
}
</script></body>"""


# Uses the page as hands do, and notes the raster's window, the lines of the rates and the raster's marks after each step.
HANDS_ON = """<script>
{
  const steps = [], canvas = () => document.querySelector("#raster canvas");
  const note = (name) => steps.push([name, [view.from, view.to, view.low, view.high, document.querySelectorAll("#rates svg g path[fill=none]").length, Number(canvas().dataset.marks)]]);
  const press = (label) => document.querySelector(`#raster button[aria-label="${label}"]`).click();
  const key = (k) => canvas().dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true }));
  const at = () => { const b = canvas().getBoundingClientRect(); return { clientX: b.left + b.width / 2, clientY: b.top + b.height / 2, bubbles: true, cancelable: true }; };
  note("start");
  press("Zoom in in time"), note("zoomed by button");
  press("Later"), note("later");
  key("ArrowLeft"), note("earlier by key");
  key("*"), note("neurons by key");
  press("Show the whole run"), note("all");
  canvas().dispatchEvent(new WheelEvent("wheel", { ...at(), deltaY: -300 })), note("plain wheel");
  canvas().dispatchEvent(new WheelEvent("wheel", { ...at(), deltaY: -300, ctrlKey: true })), note("wheel with Ctrl");
  const middle = at();
  canvas().dispatchEvent(new PointerEvent("pointerdown", { ...middle, button: 0, pointerType: "mouse" }));
  window.dispatchEvent(new PointerEvent("pointermove", { ...middle, clientX: middle.clientX - 50 }));
  window.dispatchEvent(new PointerEvent("pointerup", middle));
  window.dispatchEvent(new PointerEvent("pointermove", { ...middle, clientX: middle.clientX - 500 }));
  note("dragged");
  const name = document.querySelector("button.name");
  name.click(), note("hidden");
  name.click(), note("shown again");
  document.querySelectorAll(".plot > svg").forEach((svg) => svg.dispatchEvent(new PointerEvent("pointermove", { clientX: svg.getBoundingClientRect().left + 200, clientY: 0 })));
  const out = document.createElement("script");
  out.type = "application/json", out.id = "steps", out.textContent = JSON.stringify(steps);
  document.body.append(out);
}
</script></body>"""


# Presses every button that saves a picture, and leaves the pictures in the page.
SAVE_PICTURES = """<script>
{
  const files = new Map(), pictures = {}, out = document.createElement("script");
  out.type = "application/json", out.id = "pictures";
  document.body.append(out);
  URL.createObjectURL = (file) => { files.set(`blob:${files.size}`, file); return `blob:${files.size - 1}`; };
  HTMLAnchorElement.prototype.click = function () {
    const reader = new FileReader(), name = this.download;
    reader.onload = () => { pictures[name] = reader.result; out.textContent = JSON.stringify(pictures); --document.documentElement.dataset.waiting; };
    reader.readAsDataURL(files.get(this.href));
  };
  const buttons = [...document.querySelectorAll("button.picture")].filter((b) => !b.disabled), root = document.documentElement;
  root.dataset.waiting = buttons.length;  // of pictures not there yet: PNG takes its time
  buttons.forEach((b) => b.click());
}
</script></body>"""


# Opens pages one after another in a frame, as wide as is wanted, and leaves what they have become in the page.
DRIVER = """<!DOCTYPE html><body style="margin: 0"><script>
const views = %s, wait = (ms) => new Promise((done) => setTimeout(done, ms)), found = {};
(async () => {
  for (const [name, address, width] of views) {
    const frame = document.createElement("iframe");
    frame.style.cssText = `border: 0; width: ${width}px; height: 2000px`;
    frame.src = address;
    const loaded = new Promise((done) => frame.addEventListener("load", done));
    document.body.append(frame);
    await loaded;
    await wait(500);
    for (let k = 0; k < 200 && Number(frame.contentDocument.documentElement.dataset.waiting); ++k) await wait(100);
    found[name] = frame.contentDocument.documentElement.outerHTML;
    frame.remove();
  }
  const out = document.createElement("script");
  out.type = "application/json", out.id = "found";
  out.textContent = JSON.stringify(found).replaceAll("<", "\\\\u003c");
  document.body.append(out);
})();
</script>"""


def start(folder, address, *options, dark=False):
    """Runs Chromium on an address, with options."""
    look = ["--blink-settings=preferredColorScheme=0"] if dark else []
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={os.path.join(folder, 'profile')}"]
    return subprocess.run([*command, *look, *options, address], text=True, capture_output=True, timeout=400, check=True)


def address_of(folder, page, part=""):
    return f"file://{os.path.join(folder, page)}{part}"


def open_all(folder, views, dark=False):
    """views: (name, page, part, width); name -> the page's HTML after its scripts, and what they wrote to the console."""
    with open(os.path.join(folder, "driver.html"), "w", encoding="utf-8") as f:
        f.write(DRIVER % json.dumps([(name, address_of(folder, page, part), width) for name, page, part, width in views]))
    done = start(folder, address_of(folder, "driver.html"), "--hide-scrollbars", "--window-size=1200,2000",
                 f"--virtual-time-budget={20000 + 2000 * len(views)}", "--allow-file-access-from-files",
                 "--run-all-compositor-stages-before-draw", "--enable-logging=stderr", "--v=0", "--dump-dom", dark=dark)
    found = re.search(r'<script type="application/json" id="found">(.*?)</script>', done.stdout, re.S)
    if not found:
        raise AssertionError(f"the pages were not opened: {done.stdout[:2000]}{done.stderr}")
    if "SPINET_SCREENSHOTS" in os.environ:
        for name, page, part, width in views:
            picture = os.path.join(os.environ["SPINET_SCREENSHOTS"], f"{name.replace(' ', '_')}.png")
            start(folder, address_of(folder, page, part), "--hide-scrollbars", f"--window-size={width},2000",
                  "--virtual-time-budget=4000", f"--screenshot={picture}", dark=dark)
    return json.loads(found.group(1)), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def print_page(folder, page, part=""):
    """The page as page.pdf."""
    start(folder, address_of(folder, page, part), "--window-size=1400,2000", "--virtual-time-budget=4000",
          "--no-pdf-header-footer", f"--print-to-pdf={os.path.join(folder, 'page.pdf')}")
