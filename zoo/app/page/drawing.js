// What is drawn: the skeleton over the picture, the score on its scale, its course over time.

const SVG = "http://www.w3.org/2000/svg";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draws the run's joints on a canvas; `places` are [x, y, sure] in parts of its size. */
function drawJoints(canvas, places, bones) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  const unit = Math.max(canvas.width, canvas.height) / 240;
  const at = ([x, y]) => [x * canvas.width, y * canvas.height];
  const line = (width, style) => {
    context.lineWidth = width * unit;
    context.strokeStyle = style;
    for (const [child, parent] of bones) {
      const sure = places[child][2] && places[parent][2];
      context.setLineDash(sure ? [] : [2 * unit, 2 * unit]);
      context.beginPath();
      context.moveTo(...at(places[child]));
      context.lineTo(...at(places[parent]));
      context.stroke();
    }
  };
  context.lineCap = "round";
  line(3.2, "rgb(0 0 0 / 0.55)");
  line(1.6, "#7fd4ff");
  context.setLineDash([]);
  for (const place of places) {
    context.beginPath();
    context.arc(...at(place), 1.7 * unit, 0, 2 * Math.PI);
    context.fillStyle = place[2] ? "#ffffff" : "rgb(0 0 0 / 0.6)";
    context.strokeStyle = place[2] ? "#0a58a8" : "#ffffff";
    context.lineWidth = 0.7 * unit;
    context.fill();
    context.stroke();
  }
}

/** The skeleton over a picture: landmarks in parts of the picture. */
export function drawOver(canvas, video, picture, manifest) {
  [canvas.width, canvas.height] = [video.videoWidth || 640, video.videoHeight || 480];
  if (!picture) return;
  const places = manifest.mapping.joints.map((sources) => [
    sources.reduce((sum, [landmark, weight]) => sum + weight * picture[landmark][0], 0),
    sources.reduce((sum, [landmark, weight]) => sum + weight * picture[landmark][1], 0),
    sources.every(([landmark]) => picture[landmark][3] >= manifest.mapping.sure),
  ]);
  drawJoints(canvas, places, manifest.skeleton.bones);
}

/** The skeleton alone, from the front: joints in metres, y up. */
export function drawAlone(canvas, { x, states }, manifest) {
  [canvas.width, canvas.height] = [800, 600];
  const places = Array.from(states, (state, joint) => [
    0.5 + (x[3 * joint] / 2.2) * 0.75,
    0.47 - x[3 * joint + 1] / 2.2,
    state === 2,
  ]);
  if (states.some((state) => state > 0)) drawJoints(canvas, places, manifest.skeleton.bones);
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** The scale with the score and its interval. */
export function drawScale(svg, scale, score, interval) {
  const at = (value) =>
    8 + (384 * (Math.min(Math.max(value, scale[0]), scale[1]) - scale[0])) / (scale[1] - scale[0]);
  const parts = [element("line", { class: "track", x1: 8, x2: 392, y1: 10, y2: 10, "stroke-width": 4 })];
  if (interval) {
    const [low, high] = interval.map(at);
    parts.push(element("rect", { class: "range", x: low, width: high - low, y: 3, height: 14, rx: 3 }));
  }
  if (score !== null) parts.push(element("circle", { class: "point", cx: at(score), cy: 10, r: 6 }));
  parts.push(element("text", { x: 4, y: 31 }, String(scale[0])));
  parts.push(element("text", { x: 396, y: 31, "text-anchor": "end" }, String(scale[1])));
  svg.replaceChildren(...parts);
}

/** The scores so far over time, with their interval as a band. */
export function drawCourse(svg, scale, scores) {
  const title = svg.querySelector("title");
  const last = Math.max(10, scores.at(-1)?.seconds ?? 0);
  const right = (seconds) => 30 + (362 * seconds) / last;
  const down = (value) => {
    const share = (value - scale[0]) / (scale[1] - scale[0]);
    return 98 - 90 * Math.min(Math.max(share, 0), 1);
  };
  const parts = [];
  for (const share of [0, 0.5, 1]) {
    const value = scale[0] + share * (scale[1] - scale[0]);
    const y = down(value);
    parts.push(element("line", { class: "grid", x1: 30, x2: 392, y1: y, y2: y }));
    parts.push(element("text", { x: 25, y: y + 4, "text-anchor": "end" }, String(value)));
  }
  parts.push(element("text", { x: 30, y: 114 }, "0 s"));
  parts.push(element("text", { x: 392, y: 114, "text-anchor": "end" }, `${Math.round(last)} s`));
  const banded = scores.filter(({ interval }) => interval);
  if (banded.length > 1) {
    const edge = (i) => ({ seconds, interval }) => `${right(seconds)},${down(interval[i])}`;
    const points = [...banded.map(edge(1)), ...banded.reverse().map(edge(0))].join(" ");
    parts.push(element("polygon", { class: "band", points }));
  }
  const points = scores.map(({ seconds, score }) => `${right(seconds)},${down(score)}`).join(" ");
  if (scores.length) parts.push(element("polyline", { class: "line", points }));
  svg.replaceChildren(title, ...parts);
}
