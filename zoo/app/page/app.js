// The page: what is open, what is recorded, what is shown.

import { drawAlone, drawCourse, drawOver, drawScale } from "./drawing.js";
import { PoseFinder } from "./landmarks.js";
import { fromJson, toJson } from "./session.js";
import { EvenClock, toLayout } from "./skeleton.js";
import { close, lacking, nextPicture, openCamera, openVideo, seek, Trouble } from "./sources.js";

const $ = (id) => document.getElementById(id);
const SLOW = 8; // poses a second below which fast movement is lost
const PICTURES = 15; // a second that are read from a video; the clock's ticks lie between them
const NOBODY = 2; // seconds without a person before the page says so
const GUESSED = 0.5; // share of joints not clearly seen beyond which a score is none
const JUMP = 0.25; // of the picture's width, from one picture to the next

let manifest;
let worker;
let finder = null;
let source = 0; // counts what was opened, so that loops of the one before end
let session = 0;
let clock = null; // there while frames are recorded
let ticks = [];
let scores = [];
let guessed = { joints: 0, all: 0 };
let last = null;
let camera = null; // the camera's stream, while it is open

async function begin() {
  $("not-started").hidden = true;
  $("app").hidden = false;
  const answer = await fetch("run.json");
  manifest = await answer.json();
  $("about").textContent = `${manifest.title}, ${manifest.exercise}`;
  $("of").textContent = `of ${manifest.scale[1]}`;
  $("told").replaceChildren(...manifest.told.map((text) => element("li", text)));
  $("careful").hidden = !manifest.careful.length;
  $("careful").replaceChildren(...manifest.careful.map((text) => element("p", text)));
  showScore();
  const lack = lacking();
  if (lack) {
    tell(lack);
    $("camera").disabled = true;
  }
  // The worker is made from a blob, so that it is under this page's security policy.
  const start = `import ${JSON.stringify(new URL("./scorer.js", import.meta.url).href)};`;
  const url = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
  worker = new Worker(url, { type: "module" });
  worker.onmessage = ({ data }) => heard(data);
  worker.onerror = () => tell("The program that scores has stopped. Load the page anew.");
  worker.postMessage({ kind: "open", manifest });

  $("camera").onclick = () => useCamera();
  $("file").onchange = () => {
    const [file] = $("file").files;
    $("file").value = "";
    if (file) useFile(file);
  };
  $("start").onclick = () => startRecording();
  $("stop").onclick = () => stopRecording("Stopped.");
  $("save").onclick = save;
  document.addEventListener("keydown", keyed);
  document.addEventListener("visibilitychange", hidden);
}

function keyed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input")) return;
  const button = {
    c: "camera",
    s: $("stop").disabled ? "start" : "stop",
    d: "save",
  }[event.key.toLowerCase()];
  if (button && !$(button).disabled) $(button).click();
}

function hidden() {
  if (document.hidden && camera && clock) {
    stopRecording("");
    tell("Recording stopped, because the page was hidden: a hidden page gets no pictures. What " +
      "was recorded before is kept.");
  }
}

// ---- sources

async function useCamera() {
  await opened("Opening the camera…", async (own) => {
    const stream = await openCamera($("video"));
    if (own !== source) return stream.getTracks().forEach((track) => track.stop());
    camera = stream;
    for (const track of stream.getTracks()) {
      track.onended = () => {
        if (own !== source) return;
        stopRecording("");
        tell("The camera was taken away. Open it again, or open a video.");
      };
    }
    $("stage").classList.add("mirrored");
    await findPoses();
    state("The camera is open. Stand so that your whole body is in the picture, then start.");
    $("start").disabled = false;
    await follow(own);
  });
}

async function useFile(file) {
  await opened(`Opening ${file.name}…`, async (own) => {
    if (/\.json$/i.test(file.name)) return useSession(await file.text(), file.name, own);
    const lack = lacking();
    if (lack) throw new Trouble(lack);
    const seconds = await openVideo($("video"), file);
    await findPoses();
    await readVideo(seconds, own);
  });
}

/** Closes what was open, opens something new, and tells what goes wrong. */
async function opened(text, open) {
  const own = ++source;
  stopRecording("");
  close($("video"));
  camera = null;
  tell("");
  $("stage").classList.remove("mirrored");
  $("empty").hidden = true;
  $("start").disabled = true;
  drawOver($("skeleton"), $("video"), null, manifest);
  state(text);
  try {
    await open(own);
  } catch (error) {
    if (own !== source) return;
    stopRecording("");
    close($("video"));
    camera = null;
    $("start").disabled = true;
    $("empty").hidden = false;
    state("Nothing is open.");
    tell(error.message);
    if (!(error instanceof Trouble)) console.info(error);
  }
}

async function findPoses() {
  if (finder === null) {
    state("Loading the program that finds the skeleton, which takes some seconds the first time…");
    finder = await PoseFinder.open(manifest.pose);
  }
  finder.reset();
}

/** Follows the camera until something else is opened. */
async function follow(own) {
  const begun = performance.now();
  const watch = new Watch();
  while (own === source) {
    await nextPicture($("video"));
    if (own !== source || document.hidden) continue;
    const now = performance.now();
    const pose = await finder.find($("video"));
    if (own !== source) return;
    drawOver($("skeleton"), $("video"), pose.picture, manifest);
    if (clock) record((now - begun) / 1000, pose.world);
    watch.saw(now / 1000, pose, clock !== null);
  }
}

/** Reads a video picture by picture, however long each takes, and scores it. */
async function readVideo(seconds, own) {
  beginRecording(false);
  const watch = new Watch();
  const count = Math.max(1, Math.round(seconds * PICTURES));
  for (let i = 0; i < count && own === source && clock; i++) {
    await seek($("video"), Math.min((i + 0.5) / PICTURES, seconds));
    const pose = await finder.find($("video"));
    if (own !== source || !clock) return;
    drawOver($("skeleton"), $("video"), pose.picture, manifest);
    record(i / PICTURES, pose.world);
    watch.saw(performance.now() / 1000, pose, false);
    state(`Reading the video: ${(i / PICTURES).toFixed(1)} of ${seconds.toFixed(1)} s.`);
  }
  if (own === source) stopRecording("The whole video has been read.");
}

/** Scores a saved session, then shows its skeleton moving. */
async function useSession(text, name, own) {
  const saved = fromJson(text, name);
  beginRecording(false);
  const found = ticks;
  saved.ticks.forEach((landmarks, i) => record(i / saved.fps, landmarks));
  stopRecording(`${name} has been scored.`);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const begun = performance.now();
  while (own === source) {
    const at = still ? 0 : Math.floor(((performance.now() - begun) / 1000) * manifest.fps);
    drawAlone($("skeleton"), toLayout(found[at % found.length], manifest.mapping), manifest);
    if (still) return;
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

/** Tells what is odd about the pictures and the poses found in them. */
class Watch {
  nobody = null;
  before = null;
  times = [];

  saw(now, { picture, ms }, live) {
    this.times.push({ now, ms });
    if (this.times.length > 30) this.times.shift();
    speeds.pose = this.times.map((time) => time.ms).sort((a, b) => a - b)[this.times.length >> 1];
    const span = now - this.times[0].now;
    speeds.rate = span > 0 ? (this.times.length - 1) / span : 0;
    showSpeed();
    if (!picture) {
      this.nobody ??= now;
      this.before = null;
      if (now - this.nobody > NOBODY && camera) {
        tell("Nobody is seen. Step back until your whole body is in the picture, in good light.");
      }
      return;
    }
    if (this.nobody !== null) tell("");
    this.nobody = null;
    const middle = (picture[23][0] + picture[24][0]) / 2;
    if (this.before && now - this.before.now < 0.5 && Math.abs(middle - this.before.middle) > JUMP) {
      tell("The skeleton jumped to another place in the picture. One person is followed: see that " +
        "nobody else is in it.");
    }
    this.before = { now, middle };
    if (live && this.times.length === 30 && speeds.rate < SLOW) {
      tell(`Only ${speeds.rate.toFixed(1)} poses a second are found here: fast movements are lost. ` +
        "Close other programs, or record a video and open it: a video is read picture by picture.");
    }
  }
}

// ---- recording

async function startRecording() {
  const own = source;
  $("start").disabled = true;
  for (let left = Number($("delay").value); left > 0; left--) {
    $("count").hidden = false;
    $("count").textContent = left;
    state(`Scoring starts in ${left} s.`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (own !== source) return;
  }
  $("count").hidden = true;
  tell("");
  beginRecording(true);
  state("Scoring. Do the exercise, then stop.");
}

/** Begins a new recording; `live` where frames come as time goes by. */
function beginRecording(live) {
  clock = new EvenClock(manifest.fps);
  [ticks, scores, last] = [[], [], null];
  guessed = { joints: 0, all: 0 };
  session++;
  worker.postMessage({ kind: "begin", session, live });
  $("stage").classList.add("recording");
  $("stop").disabled = false;
  $("save").disabled = true;
  showScore();
}

function record(seconds, world) {
  const found = clock.push(seconds, world);
  ticks.push(...found);
  send(found, false);
}

function send(found, ended) {
  const frames = found.map((landmarks) => toLayout(landmarks, manifest.mapping));
  for (const { states } of frames) {
    if (!states.some(Boolean)) continue;
    guessed.all += states.length;
    guessed.joints += states.filter((state) => state < 2).length;
  }
  worker.postMessage({ kind: "frames", session, frames, last: ended });
}

function stopRecording(text) {
  $("count").hidden = true;
  if (!clock) return;
  clock = null;
  send([], true);
  $("stage").classList.remove("recording");
  $("stop").disabled = true;
  $("start").disabled = camera === null;
  $("save").disabled = !ticks.some(Boolean);
  if (text) state(text);
}

function save() {
  const about = { model: manifest.title, exercise: manifest.exercise, made_by: "skeleton-zoo app" };
  const repetitions = last?.repetitions ?? [];
  const json = toJson(ticks, manifest.fps, scores, repetitions, about);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
  link.download = `session-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  state(`Saved as ${link.download}: landmarks and scores, no picture.`);
}

// ---- what the worker says

function heard(data) {
  if (data.kind === "failed") return tell(`The score cannot be computed: ${data.why}`);
  if (data.session !== session) return;
  if (data.kind === "not-yet") {
    if (data.last) tell(`No score: ${data.why}.`);
    return;
  }
  if (data.kind !== "scored") return;
  last = data;
  speeds.score = data.ms;
  scores.push({ seconds: data.frames / manifest.fps, score: data.score, interval: data.interval });
  if (data.beyond === "unlike") {
    tell("The score lies far outside the scale: this movement is unlike those the model was " +
      "trained on. Do not use the score.");
  } else if (guessed.joints > GUESSED * guessed.all) {
    tell("Most of the body is not clearly seen, and its joints are guessed. Do not use the score: " +
      "step back until the whole body is in the picture.");
  }
  showScore();
  showSpeed();
  say(data.last);
}

const speeds = { pose: null, rate: null, score: null };

function showSpeed() {
  const parts = [];
  if (speeds.pose !== null) parts.push(`finding the skeleton ${speeds.pose.toFixed(0)} ms a picture`);
  if (speeds.rate) parts.push(`${speeds.rate.toFixed(1)} poses a second`);
  if (speeds.score !== null) parts.push(`scoring all frames so far ${speeds.score.toFixed(0)} ms`);
  if (parts.length) $("speed").textContent = `${parts.join(", ")}.`;
}

function showScore() {
  const fixed = (value) => value.toFixed(manifest.digits).replace("-", "−");
  $("score").textContent = last ? fixed(last.score) : "–";
  $("score-title").textContent = last?.last ? "Score" : "Score so far";
  $("interval").textContent = last?.interval
    ? `${manifest.level} interval: ${last.interval.map(fixed).join(" to ")}`
    : last ? "no interval, see below" : "";
  drawScale($("scale"), manifest.scale, last?.score ?? null, last?.interval ?? null);
  drawCourse($("course"), manifest.scale, scores);
  const found = last?.repetitions ?? [];
  const count = found.length;
  $("repetitions").textContent = count
    ? `${count} repetition${count > 1 ? "s" : ""} found${last.last ? "" : " so far"}.`
    : last?.last ? "None found." : "None found yet.";
  const seconds = (frame) => (frame / manifest.fps).toFixed(1);
  const apart = last && manifest.sampling.kind === "repetitions" && last.samples.length === count;
  $("repetition-list").replaceChildren(
    ...found.map(([start, stop], i) =>
      element(
        "li",
        `${seconds(start)} to ${seconds(stop)} s` +
          (apart ? `: ${fixed(last.samples[i].score)}` : ""),
      ),
    ),
  );
}

let spoken = 0;

/** Reads the score out to a screen reader, at most every ten seconds. */
function say(ended) {
  const now = performance.now();
  if (!ended && now - spoken < 10000) return;
  spoken = now;
  const count = last.repetitions.length;
  $("heard").textContent =
    `${$("score-title").textContent} ${$("score").textContent} ${$("of").textContent}, ` +
    `${$("interval").textContent}, ${count} repetition${count === 1 ? "" : "s"}.`;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function state(text) {
  $("state").textContent = text;
}

function tell(text) {
  if ($("notice").textContent === text) return;
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

begin().catch((error) => tell(`The page cannot start: ${error.message}`));
