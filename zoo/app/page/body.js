// How joints lie against their body, and how far it reaches: zoo.data.bodies.

import { median } from "./numbers.js";

/**
 * Every joint against the median joint of its frame.
 *
 * @param x T × V × 3
 * @returns {within: T × V × 3, away: T × V metres, middle: T × 3}
 */
export function againstBody(x, frames, joints) {
  const within = new Float64Array(x.length);
  const away = new Float64Array(frames * joints);
  const middle = new Float64Array(3 * frames);
  const column = new Float64Array(joints);
  for (let t = 0; t < frames; t++) {
    for (let axis = 0; axis < 3; axis++) {
      for (let v = 0; v < joints; v++) column[v] = x[3 * (t * joints + v) + axis];
      middle[3 * t + axis] = median(column);
      for (let v = 0; v < joints; v++) {
        within[3 * (t * joints + v) + axis] = column[v] - middle[3 * t + axis];
      }
    }
    for (let i = t * joints; i < (t + 1) * joints; i++) {
      away[i] = Math.hypot(within[3 * i], within[3 * i + 1], within[3 * i + 2]);
    }
  }
  return { within, away, middle };
}

/** How far the outer joints usually are from the middle of the body. */
export function reach(away, frames, joints) {
  const track = new Float64Array(frames);
  const usual = Array.from({ length: joints }, (_, v) => {
    for (let t = 0; t < frames; t++) track[t] = away[t * joints + v];
    return median(track);
  });
  return usual.sort((a, b) => a - b)[Math.floor(0.9 * (joints - 1))];
}

const REACH = 4;
const ROOM = 50;

/** Joints (T × V) so far beyond the body that they are none: zoo.data.checks.places. */
export function wildJoints(x, frames, joints) {
  const { away, middle } = againstBody(x, frames, joints);
  const outer = reach(away, frames, joints);
  const wild = new Uint8Array(frames * joints);
  if (!(outer > 0)) return wild;
  const usual = [0, 1, 2].map((axis) => median(middle.filter((_, i) => i % 3 === axis)));
  for (let t = 0; t < frames; t++) {
    const moved = Math.hypot(...usual.map((place, axis) => middle[3 * t + axis] - place));
    for (let i = t * joints; i < (t + 1) * joints; i++) {
      wild[i] = away[i] > REACH * outer || moved > ROOM * outer;
    }
  }
  return wild;
}
