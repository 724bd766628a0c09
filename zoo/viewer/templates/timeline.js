/* Everything over one time axis: score so far, repetitions, what moved the score, a measure. */

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes = {}, ...content) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content);
  return element;
}

/* Round numbers from low to high, about `count` of them. */
function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i += 1) {
    found.push(Number((i * step).toPrecision(6)));
  }
  return found;
}

const signed = (value) => `${value}`.replace("-", "−");

class Timeline {
  constructor(place, onSeek) {
    this.place = place;
    this.measure = 0;
    let held = false;
    const seek = (event) => {
      const box = this.svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.width;
      const share = (x - this.left) / (this.width - this.left - this.right);
      onSeek(Math.min(1, Math.max(0, share)));
    };
    place.addEventListener("pointerdown", (event) => {
      held = true;
      seek(event);
    });
    place.addEventListener("pointermove", (event) => held && seek(event));
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
      place.addEventListener(end, () => {
        held = false;
      });
    }
  }

  show(view) {
    this.view = view;
    this.build();
  }

  build() {
    const { view } = this;
    const width = Math.max(300, Math.min(900, this.place.clientWidth || 640));
    Object.assign(this, { width, left: 64, right: 12 });
    this.x = (seconds) => this.left + (seconds / (view.seconds || 1)) * (width - this.left - this.right);
    this.svg = drawn("svg", { class: "time", role: "img", "aria-labelledby": "time-title" });
    this.svg.append(drawn("title", { id: "time-title" }, view.timeline));
    let y = 4;
    y = this.score(y);
    y = this.repetitions(y);
    y = this.rests(y);
    y = this.curves(y);
    y = this.axis(y);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${y}`);
    this.cursor = drawn("line", { class: "cursor", y1: 0, y2: y - 22 });
    this.svg.append(this.cursor);
    this.place.replaceChildren(this.svg);
    this.mark(this.seconds ?? 0);
  }

  mark(seconds) {
    this.seconds = seconds;
    const x = this.x(seconds);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
  }

  head(y, text) {
    this.svg.append(drawn("text", { class: "row", x: 0, y: y + 11 }, text));
    return y + 18;
  }

  scale(y, height, low, high, unit) {
    const at = (value) => y + height - ((value - low) / (high - low || 1)) * height;
    for (const tick of ticks(low, high, Math.max(2, Math.round(height / 34)))) {
      this.svg.append(
        drawn("line", { class: "rule", x1: this.left, x2: this.width - this.right, y1: at(tick), y2: at(tick) }),
        drawn("text", { class: "tick", x: this.left - 6, y: at(tick) + 4, "text-anchor": "end" }, `${signed(tick)}${unit}`),
      );
    }
    return at;
  }

  line(css, seconds, values, at) {
    const d = values.map((v, i) => `${i ? "L" : "M"}${this.x(seconds[i]).toFixed(1)} ${at(v).toFixed(1)}`);
    this.svg.append(drawn("path", { class: css, d: d.join("") }));
  }

  score(y) {
    const { view } = this;
    if (!view.soFar.length) return y;
    y = this.head(y, "Score so far, each beginning scored anew");
    const values = view.soFar.map(([, score]) => score);
    const around = view.interval ?? [];
    const low = Math.min(view.range[0], ...values);
    const high = Math.max(view.range[1], ...values);
    const at = this.scale(y, 92, low, high, "");
    if (view.interval) {
      const [from, to] = around.map(at);
      this.svg.append(drawn("rect", { class: "interval", x: this.width - this.right - 5, width: 10, y: to, height: Math.max(1, from - to) }));
    }
    this.line("so-far", view.soFar.map(([seconds]) => seconds), values, at);
    const [seconds, last] = view.soFar.at(-1);
    this.svg.append(drawn("circle", { class: "score-dot", cx: this.x(seconds), cy: at(last), r: 4 }));
    return y + 104;
  }

  repetitions(y) {
    const { repetitions } = this.view;
    if (!repetitions.length) return y;
    y = this.head(y, "Repetitions");
    repetitions.forEach(([start, stop, text], i) => {
      const [x, end] = [this.x(start) + 1, this.x(stop) - 1];
      this.svg.append(
        drawn("rect", { class: "repetition", x, width: Math.max(1, end - x), y, height: 20, rx: 3 }),
        drawn("text", { class: "inside", x: (x + end) / 2, y: y + 14, "text-anchor": "middle" }, text || `${i + 1}`),
      );
    });
    return y + 30;
  }

  rests(y) {
    const { rests, seconds } = this.view;
    if (!rests) return y;
    y = this.head(y, rests.title);
    const step = seconds / rests.points;
    for (const { name, values } of rests.parts) {
      this.svg.append(drawn("text", { class: "tick", x: this.left - 6, y: y + 11, "text-anchor": "end" }, name));
      this.svg.append(drawn("rect", { class: "empty", x: this.left, y, width: this.width - this.left - this.right, height: 13 }));
      values.forEach((value, i) => {
        const share = Math.abs(value) / 127;
        if (share < 0.04) return;
        const css = rests.signed ? (value < 0 ? "lowers" : "raises") : "other";
        this.svg.append(drawn("rect", { class: css, x: this.x(i * step).toFixed(1), y, width: (this.x(step) - this.left + 0.3).toFixed(1), height: 13, opacity: share.toFixed(2) }));
      });
      y += 16;
    }
    return y + 12;
  }

  curves(y) {
    const { view } = this;
    const measure = view.measures[this.measure];
    if (!measure) return y;
    const bands = measure.low && measure.low[1] < measure.high[0] ? [measure.low, measure.high] : [];
    const unlike = measure.low && !bands.length ? "; healthy people too unlike for bands" : "";
    y = this.head(y, `${measure.title}${this.width > 500 ? ` (${measure.what}${unlike})` : ""}`);
    const every = [...measure.sides, ...(measure.beside ?? [])].flatMap((side) => [...side]);
    const bounds = bands.flat();
    const low = Math.min(...every.map((v) => v / 10), ...bounds);
    const high = Math.max(...every.map((v) => v / 10), ...bounds);
    const at = this.scale(y, 120, low, high, measure.unit === "cm" ? "" : measure.unit);
    for (const band of bands) {
      const [a, b] = band.map(at);
      this.svg.append(drawn("rect", { class: "healthy", x: this.left, width: this.width - this.left - this.right, y: b, height: Math.max(2, a - b) }));
    }
    const step = Math.max(1, Math.floor(view.frames / 900));
    const chosen = Array.from({ length: Math.ceil(view.frames / step) }, (_, i) => i * step);
    const times = chosen.map((frame) => (frame / Math.max(view.frames - 1, 1)) * view.seconds);
    const names = measure.sides.length === 2 ? ["left", "right"] : ["body"];
    (measure.beside ?? []).forEach((side, i) => this.line(`curve ${names[i]} beside`, times, chosen.map((f) => side[f] / 10), at));
    measure.sides.forEach((side, i) => this.line(`curve ${names[i]}`, times, chosen.map((f) => side[f] / 10), at));
    return y + 132;
  }

  axis(y) {
    const { view } = this;
    for (const tick of ticks(0, view.seconds, Math.max(2, Math.round(this.width / 90)))) {
      const x = this.x(tick);
      this.svg.append(
        drawn("line", { class: "axis", x1: x, x2: x, y1: y, y2: y + 5 }),
        drawn("text", { class: "tick", x, y: y + 18, "text-anchor": "middle" }, `${tick} s`),
      );
    }
    this.svg.append(drawn("line", { class: "axis", x1: this.left, x2: this.width - this.right, y1: y, y2: y }));
    return y + 24;
  }
}
