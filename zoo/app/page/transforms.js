// The transforms of a protocol, as zoo.data.transforms has them, for positions.

import { againstBody, reach } from "./body.js";
import { gaussian, median, upperMedian } from "./numbers.js";
import { bridge } from "./skeleton.js";

/**
 * Each takes a motion {x: T × V × 3, frames, joints, fps}, its settings and the manifest's
 * skeleton, and gives new positions. The manifest names only those that are here.
 */
export const TRANSFORMS = {
  "repair-jumps": repairJumps,
  "face-camera": faceCamera,
  "center": center,
  "scale-body": scaleBody,
  "smooth": (motion, { sigma }) =>
    gaussian(motion.x, motion.frames, 3 * motion.joints, sigma),
};

/** The motion after all steps. */
export function transformed(motion, steps, skeleton) {
  for (const { name, params } of steps) {
    motion = { ...motion, x: TRANSFORMS[name](motion, params, skeleton) };
  }
  return motion;
}

function place(motion, t, joint, axis) {
  return motion.x[(t * motion.joints + joint) * 3 + axis];
}

/** Metres between two places in two arrays. */
function apart(a, i, b, j) {
  return Math.hypot(a[i] - b[j], a[i + 1] - b[j + 1], a[i + 2] - b[j + 2]);
}

function center(motion, { by }, { pelvis }) {
  const { frames, joints } = motion;
  const mean = (t, axis) =>
    pelvis.reduce((sum, joint) => sum + place(motion, t, joint, axis), 0) / pelvis.length;
  const x = Float64Array.from(motion.x);
  for (let axis = 0; axis < 3; axis++) {
    const track = Array.from({ length: frames }, (_, t) => mean(t, axis));
    const middle = by === "median" ? median(track) : track[0];
    for (let t = 0; t < frames; t++) {
      const origin = by === "frame" ? track[t] : middle;
      for (let v = 0; v < joints; v++) x[(t * joints + v) * 3 + axis] -= origin;
    }
  }
  return x;
}

function faceCamera(motion, _, { sides }) {
  const { frames, joints } = motion;
  const x = Float64Array.from(motion.x);
  let [across, ahead] = [0, 0];
  for (let t = 0; t < frames; t++) {
    for (const [left, right] of sides) {
      across += place(motion, t, right, 0) - place(motion, t, left, 0);
      ahead += place(motion, t, right, 2) - place(motion, t, left, 2);
    }
  }
  const count = frames * sides.length || 1;
  const length = Math.hypot(across / count, ahead / count);
  if (length < 1e-6) return x;
  const cos = across / count / length;
  const sin = ahead / count / length;
  for (let i = 0; i < 3 * frames * joints; i += 3) {
    const [u, w] = [x[i], x[i + 2]];
    x[i] = cos * u + sin * w;
    x[i + 2] = cos * w - sin * u;
  }
  return x;
}

function scaleBody(motion, _, { bones }) {
  const { frames, joints, x } = motion;
  let size = 0;
  for (const [child, parent] of bones) {
    const at = (t, v) => (t * joints + v) * 3;
    const lengths = Array.from({ length: frames }, (_, t) =>
      apart(x, at(t, child), x, at(t, parent)),
    );
    size += median(lengths) / 10;
  }
  if (!(size > 0)) throw new Error("all bones have length 0");
  return x.map((value) => value / size);
}

const REACH = 3.0;
const JOINT_SPEED = 40.0;
const RETURN = 1.0;

function repairJumps(motion, params, _) {
  const { frames, joints, fps } = motion;
  const x = Float64Array.from(motion.x);
  const good = goodFrames(x, frames, joints, fps, params);
  if (good.includes(false)) bridge(x, 3 * joints, good.map((g) => !g), 0, 3 * joints);
  const astray = strays(x, frames, joints, fps);
  astray.forEach((gap, joint) => {
    if (gap.includes(true) && gap.includes(false)) bridge(x, 3 * joints, gap, 3 * joint, 3);
  });
  return x;
}

/** Frames in which the tracker follows one and the same body (zoo.data.transforms.repair). */
export function goodFrames(x, frames, joints, fps, params) {
  const all = Array(frames).fill(true);
  if (frames < 2) return all;
  const width = 3 * joints;
  const seen = all.map((_, t) => {
    for (let i = 3; i < width; i++) if (x[t * width + i] !== x[t * width + (i % 3)]) return true;
    return false;
  });
  if (!seen.includes(true)) return all;
  const breaks = [];
  for (let t = 1; t < frames; t++) {
    const step = medianDistance(x, (t - 1) * width, x, t * width, joints);
    if (step > params.max_speed / fps || seen[t] !== seen[t - 1]) breaks.push(t);
  }
  if (!breaks.length) return all;
  const parts = pairs([0, ...breaks, frames]).filter(
    ([a, b]) => seen[a] && b - a >= params.min_seconds * fps,
  );
  if (!parts.length) return seen;
  const good = all.map(() => false);
  for (const [a, b] of longestChain(x, width, 0, joints, parts, params.tolerance)) {
    good.fill(true, a, b);
  }
  return good;
}

/** For each joint the frames in which it is not where the body is. */
function strays(x, frames, joints, fps) {
  const width = 3 * joints;
  const { within, away } = againstBody(x, frames, joints);
  const limit = REACH * reach(away, frames, joints);
  return Array.from({ length: joints }, (_, v) => {
    const beyond = Array.from({ length: frames }, (_, t) => away[t * joints + v] > limit);
    const cuts = [];
    let astray = beyond.includes(true);
    for (let t = 1; t < frames; t++) {
      const at = t * width + 3 * v;
      const torn = apart(within, at, within, at - width) ** 2 > (JOINT_SPEED / fps) ** 2;
      astray ||= torn;
      if (torn || beyond[t] !== beyond[t - 1]) cuts.push(t);
    }
    const gap = Array(frames).fill(false);
    if (!astray) return gap;
    const parts = pairs([0, ...cuts, frames]).filter(([a]) => !beyond[a]);
    if (!parts.length) return gap;
    gap.fill(true);
    for (const [a, b] of longestChain(within, width, 3 * v, 1, parts, RETURN)) gap.fill(false, a, b);
    return gap;
  });
}

function pairs(edges) {
  return edges.slice(1).map((edge, i) => [edges[i], edge]);
}

/** Distance of the median joint between two poses. */
function medianDistance(a, i, b, j, joints) {
  const squares = new Float64Array(joints);
  for (let v = 0; v < joints; v++) {
    const [p, q] = [i + 3 * v, j + 3 * v];
    squares[v] = (a[p] - b[q]) ** 2 + (a[p + 1] - b[q + 1]) ** 2 + (a[p + 2] - b[q + 2]) ** 2;
  }
  return Math.sqrt(upperMedian(squares));
}

/** The parts with most frames of which each begins near where the one before ended. */
function longestChain(x, width, column, joints, parts, tolerance) {
  const total = [];
  const before = [];
  parts.forEach(([start, stop], i) => {
    let [best, link] = [0, null];
    for (let j = 0; j < i; j++) {
      const end = (parts[j][1] - 1) * width + column;
      const near = medianDistance(x, end, x, start * width + column, joints) <= tolerance;
      if (near && total[j] > best) [best, link] = [total[j], j];
    }
    total.push(best + stop - start);
    before.push(link);
  });
  const chain = [];
  for (let at = total.indexOf(Math.max(...total)); at !== null; at = before[at]) chain.push(parts[at]);
  return chain.reverse();
}
