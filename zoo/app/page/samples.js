// What a protocol cuts out of a recording: zoo.data.segment and zoo.data.samples, for positions.

import { median, resampled, roundHalfEven } from "./numbers.js";
import { findRepetitions } from "./repetitions.js";
import { recordingOf } from "./skeleton.js";
import { transformed } from "./transforms.js";

/**
 * The samples of a recording so far.
 *
 * @param frames list of {x, states} on even time, as `toLayout` gives them
 * @param manifest what `zoo app` wrote of the run
 * @returns {samples: list of {x: Float32Array T × V × 3, frames: T, fps, start, stop},
 *   repetitions: list of [start, stop) frames}, both counted in the frames given
 * @throws NotYet
 */
export function samplesOf(frames, manifest) {
  const recording = recordingOf(frames, manifest.fps);
  const { sampling, steps, skeleton } = manifest;
  const repetitions = findRepetitions(recording);
  const motion = transformed(recording, steps, skeleton);
  const width = 3 * motion.joints;
  const samples = segments(recording, sampling, repetitions).map(([start, stop]) => {
    const count = stop - start;
    const rows = motion.x.subarray(start * width, stop * width);
    const wanted = lengthOf(count, manifest);
    return {
      x: Float32Array.from(resampled(rows, count, width, wanted)),
      frames: wanted,
      fps: (recording.fps * wanted) / count,
      start: recording.start + start,
      stop: recording.start + stop,
    };
  });
  const from = ([start, stop]) => [recording.start + start, recording.start + stop];
  return { samples, repetitions: repetitions.map(from) };
}

function lengthOf(count, { frames, rate, fps }) {
  if (rate !== null) return Math.max(2, roundHalfEven((count * rate) / fps));
  return frames ?? count;
}

function segments(recording, sampling, repetitions) {
  const total = recording.frames;
  const whole = [[0, total]];
  if (sampling.kind === "repetitions") return repetitions.length ? repetitions : whole;
  if (sampling.kind === "pieces") {
    const size = Math.floor(total / sampling.pieces);
    const longer = total % sampling.pieces;
    const edges = Array.from(
      { length: sampling.pieces + 1 },
      (_, i) => i * size + Math.min(i, longer),
    );
    return edges.slice(1).map((edge, i) => [edges[i], edge]);
  }
  if (sampling.kind === "windows") {
    const inFrames = (seconds) => Math.max(1, roundHalfEven(seconds * recording.fps));
    const length = sampling.length ?? inFrames(sampling.seconds);
    const stride = sampling.stride ?? (sampling.every ? inFrames(sampling.every) : length);
    if (total <= length) return whole;
    const starts = [];
    for (let start = 0; start <= total - length; start += stride) starts.push(start);
    if (starts[starts.length - 1] + length < total) starts.push(total - length);
    return starts.map((start) => [start, start + length]);
  }
  return whole;
}

/** The score of a recording from those of its samples. */
export function aggregated(scores, how) {
  if (how === "median") return median(scores);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/**
 * Lowest and highest score of the interval around a score, on the scale; null without one.
 *
 * @param deviations that the model predicts of the samples, or null
 */
export function intervalAround(score, deviations, { interval, scale }) {
  if (interval === null) return null;
  const radius = interval.factor * (interval.scaled ? aggregated(deviations, "mean") : 1);
  const [low, high] = [Math.max(score - radius, scale[0]), Math.min(score + radius, scale[1])];
  return low <= high ? [low, high] : null;
}

const FAR_OFF = 0.2; // share of the scale by which a score beyond it is no score any more

/** Whether a score is one that a rater could give: "", "outside" or "unlike". */
export function beyond(score, [low, high]) {
  const off = Math.max(low - score, score - high);
  if (off <= 0) return "";
  return off > FAR_OFF * (high - low) ? "unlike" : "outside";
}
