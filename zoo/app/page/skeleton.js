// From MediaPipe's world landmarks to the joints of the run's layout: what the zoo's reader of
// MediaPipe files and its checks of recordings do, in the same order.

import { wildJoints } from "./body.js";

const LOST = 0;
const INFERRED = 1;
const TRACKED = 2;

export const LANDMARKS = 33;

/** Too few frames, or too many without a person, to be scored; the message is for people. */
export class NotYet extends Error {}

/**
 * Even time from frames that come when they come.
 *
 * The camera's poses arrive unevenly; the model was trained on even time. Landmarks are put on a
 * clock of `fps` ticks a second, on straight lines between the poses that were seen, and rounded
 * as they are saved, so that a saved session is exactly what was scored.
 */
export class EvenClock {
  constructor(fps) {
    this.fps = fps;
    this.ticks = 0;
    this.last = null;
  }

  /**
   * A pose at a time.
   *
   * @param seconds since the beginning, later than the one before
   * @param landmarks 33 × [x, y, z, visibility], or null where nobody is seen
   * @returns the landmarks (or null) of the ticks up to now
   */
  push(seconds, landmarks) {
    const before = this.last;
    this.last = { seconds, landmarks };
    if (before === null) {
      this.start = seconds;
      this.ticks = 1;
      return [landmarks && rounded(landmarks)];
    }
    const found = [];
    while (this.start + this.ticks / this.fps <= seconds + 1e-9) {
      const time = this.start + this.ticks / this.fps;
      found.push(between(before, this.last, Math.min(time, seconds)));
      this.ticks++;
    }
    return found;
  }
}

const LONGEST_GAP = 1.5; // seconds; beyond it nobody says what happened between two poses

function between(a, b, time) {
  const share = (time - a.seconds) / (b.seconds - a.seconds);
  if (a.landmarks && b.landmarks && b.seconds - a.seconds <= LONGEST_GAP) {
    return rounded(
      a.landmarks.map((p, joint) => p.map((v, i) => v + share * (b.landmarks[joint][i] - v))),
    );
  }
  const near = share < 0.5 ? a : b;
  return Math.min(share, 1 - share) * (b.seconds - a.seconds) < 0.02 && near.landmarks
    ? rounded(near.landmarks)
    : null;
}

function rounded(landmarks) {
  return landmarks.map((point) => point.map((value) => Math.round(value * 1e5) / 1e5));
}

/**
 * The joints of one frame.
 *
 * @param landmarks 33 × [x, y, z, visibility], or null
 * @param mapping of the manifest: for each joint pairs of landmark and weight, and a turn (3 × 3)
 * @returns {x: V × 3 metres with y up, states: V}; all lost where there are no landmarks
 */
export function toLayout(landmarks, mapping) {
  const count = mapping.joints.length;
  const x = new Float64Array(3 * count);
  const states = new Uint8Array(count);
  if (!landmarks) return { x, states };
  mapping.joints.forEach((sources, joint) => {
    const place = [0, 0, 0];
    let state = TRACKED;
    for (const [landmark, weight] of sources) {
      const own = stateOf(landmarks[landmark], mapping.sure);
      state = Math.min(state, own);
      if (own === LOST) continue;
      for (let i = 0; i < 3; i++) place[i] += weight * landmarks[landmark][i];
    }
    states[joint] = state;
    for (let i = 0; i < 3; i++) {
      const row = mapping.turn[i];
      x[3 * joint + i] = row[0] * place[0] + row[1] * place[1] + row[2] * place[2];
    }
  });
  return { x, states };
}

function stateOf([x, y, z, visibility], sure) {
  const there = Number.isFinite(x + y + z) && (x !== 0 || y !== 0 || z !== 0);
  if (!there || !(visibility > 0)) return LOST;
  return visibility >= sure ? TRACKED : INFERRED;
}

const LEAST_FRAMES = 10;

/** Straight lines over the frames t with `gap[t]`, held at the ends, for columns from `first`. */
export function bridge(x, width, gap, first, columns) {
  const known = [];
  for (let t = 0; t < gap.length; t++) if (!gap[t]) known.push(t);
  if (!known.length) return;
  let next = 0;
  for (let t = 0; t < gap.length; t++) {
    while (next < known.length && known[next] <= t) next++;
    if (!gap[t]) continue;
    const a = known[Math.max(next - 1, 0)];
    const b = known[Math.min(next, known.length - 1)];
    const share = b > a && t > a ? (t - a) / (b - a) : 0;
    for (let d = first; d < first + columns; d++) {
      const from = x[a * width + d];
      x[t * width + d] = from + share * (x[b * width + d] - from);
    }
  }
}

/**
 * A recording as the zoo believes it: lost joints, places that are none and frames without a person
 * bridged in time, such frames at both ends left out.
 *
 * @param frames list of {x, states} as `toLayout` gives them
 * @param fps of these frames
 * @returns {x: T × V × 3 metres, frames: T, joints: V, fps, start: first frame kept}
 */
export function recordingOf(frames, fps) {
  const total = frames.length;
  const joints = total ? frames[0].states.length : 0;
  const width = 3 * joints;
  let x = new Float64Array(total * width);
  frames.forEach((frame, t) => x.set(frame.x, t * width));
  const lost = new Uint8Array(total * joints);
  frames.forEach(({ states }, t) => states.forEach((s, v) => (lost[t * joints + v] = s === LOST)));
  if (lost.every(Boolean)) throw new NotYet("nobody is seen in it");
  bridgeJoints(x, lost, total, joints);
  x = x.map(Math.fround);
  const wild = wildJoints(x, total, joints);
  if (wild.includes(1)) {
    bridgeJoints(x, wild, total, joints);
    x = x.map(Math.fround);
  }
  const seen = frames.map(({ states }, t) =>
    states.some((state, joint) => state === TRACKED && !wild[t * joints + joint]),
  );
  const count = seen.filter(Boolean).length;
  if (count < LEAST_FRAMES) {
    throw new NotYet(`somebody is seen in ${count} frames; at least ${LEAST_FRAMES} are needed`);
  }
  const start = seen.indexOf(true);
  const stop = seen.lastIndexOf(true) + 1;
  const missing = stop - start - count;
  if (missing > (stop - start) / 2) {
    throw new NotYet(`nobody is seen in ${missing} of ${stop - start} frames`);
  }
  x = x.slice(start * width, stop * width);
  const nobody = seen.slice(start, stop).map((there) => !there);
  if (nobody.includes(true)) {
    bridge(x, width, nobody, 0, width);
    x = x.map(Math.fround);
  }
  return { x, frames: stop - start, joints, fps, start };
}

/** Bridges each joint over the frames in which `missing` (T × V) says so. */
function bridgeJoints(x, missing, frames, joints) {
  for (let joint = 0; joint < joints; joint++) {
    const gap = Array.from({ length: frames }, (_, t) => missing[t * joints + joint] === 1);
    if (gap.includes(true)) bridge(x, 3 * joints, gap, 3 * joint, 3);
  }
}
