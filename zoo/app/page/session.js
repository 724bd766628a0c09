// A session in a file: landmarks on even time, which the zoo's reader of MediaPipe files reads,
// and the scores that the page gave. No picture is in it.

import { LANDMARKS } from "./skeleton.js";

/**
 * @param ticks 33 × [x, y, z, visibility] or null, on even time
 * @param fps of these
 * @param scores list of {seconds, score, interval}
 * @param about what scored it
 */
export function toJson(ticks, fps, scores, repetitions, about) {
  const frames = ticks.map((landmarks) => ({ poseWorldLandmarks: landmarks }));
  return JSON.stringify({ fps, frames, scores, repetitions, about });
}

/** The landmarks and their rate in a saved session. */
export function fromJson(text, name) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${name} is no session: it is not JSON.`);
  }
  const ticks = value?.frames?.map?.((frame) => frame?.poseWorldLandmarks ?? null);
  const sound = (points) => points === null || (points.length === LANDMARKS && points.every(isRow));
  if (!ticks?.length || !(value.fps > 0) || !ticks.every(sound)) {
    throw new Error(`${name} is no session of this page: frames of ${LANDMARKS} landmarks and fps.`);
  }
  return { ticks, fps: value.fps };
}

function isRow(point) {
  return Array.isArray(point) && point.length === 4 && point.every(Number.isFinite);
}
