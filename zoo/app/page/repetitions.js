// The repetitions of an exercise in a recording so far: the algorithm of zoo.data.repetition,
// computed anew on all frames, so that its answer is the one that Python gives for the same frames.

import {
  boxed, farApart, gaussian, largestEigenvectors, median, peaksOf, prominences, quantile,
  roundHalfEven, upperMedian,
} from "./numbers.js";
import { goodFrames } from "./transforms.js";

const RATE = 10;
const COMPONENTS = 6;
const SMOOTH_SECONDS = 0.2;
const DRIFT_SECONDS = 4;
const DRIFT_PERIODS = 1;
const SHORTEST = 1.2;
const LONGEST = 15;
const GOOD = { max_speed: 6, min_seconds: 1, tolerance: 0.5 };

/**
 * Repetitions as [start, stop) frames, in order of time; empty where no motion comes back.
 *
 * @param motion {x: T × V × 3 metres, frames, joints, fps}
 */
export function findRepetitions(motion) {
  const { poses, count, width, step, rate } = posesOf(motion);
  if (count < 3 * SHORTEST * rate) return [];
  let signals = components(poses, count, width, rate);
  const k = signals.length / count;
  const lag = periodOf(signals, count, k, rate);
  if (lag === null) return [];
  signals = withoutDrift(signals, count, k, DRIFT_PERIODS * lag);
  const signal = mostPeriodic(signals, count, k, lag);
  const { peaks, sign } = peaksAndSide(signal, signals, count, k, lag);
  if (peaks.length < 2) return [];
  const borders = bordersOf(signal.map((value) => sign * value), peaks, lag).map((border) =>
    Math.min(border * step, motion.frames),
  );
  return borders.slice(1).map((border, i) => [borders[i], border]);
}

function posesOf(motion) {
  const { frames, joints, fps } = motion;
  const width = 3 * joints;
  const step = Math.max(1, roundHalfEven(fps / RATE));
  const good = goodFrames(motion.x, frames, joints, fps, GOOD);
  const known = good.flatMap((there, t) => (there ? [t] : []));
  const x = new Float64Array(frames * width);
  let next = 0;
  for (let t = 0; t < frames; t++) {
    while (next < known.length - 1 && known[next] < t) next++;
    const from = good[t] ? t : known[next];
    for (let axis = 0; axis < 3; axis++) {
      let mean = 0;
      for (let v = 0; v < joints; v++) mean += motion.x[from * width + 3 * v + axis] / joints;
      for (let v = 0; v < joints; v++) {
        x[t * width + 3 * v + axis] = motion.x[from * width + 3 * v + axis] - mean;
      }
    }
  }
  const count = Math.max(1, Math.floor(frames / step));
  const means = new Float64Array(count * width);
  const whole = frames >= step;
  for (let t = 0; t < (whole ? count * step : 1); t++) {
    const row = whole ? Math.floor(t / step) : 0;
    for (let d = 0; d < width; d++) means[row * width + d] += x[t * width + d] / (whole ? step : 1);
  }
  const rate = fps / step;
  return { poses: gaussian(means, count, width, SMOOTH_SECONDS * rate), count, width, step, rate };
}

function withoutDrift(rows, count, width, sigma) {
  const box = Math.max(1, roundHalfEven(sigma * Math.sqrt(6)));
  const drift = boxed(boxed(rows, count, width, box), count, width, box);
  return rows.map((value, i) => value - drift[i]);
}

/** Scores (count × K) on the robust principal components, large outliers pulled in. */
function components(poses, count, width, rate) {
  const centred = Float64Array.from(poses);
  for (let d = 0; d < width; d++) {
    const middle = median(Array.from({ length: count }, (_, t) => poses[t * width + d]));
    for (let t = 0; t < count; t++) centred[t * width + d] -= middle;
  }
  const x = withoutDrift(centred, count, width, DRIFT_SECONDS * rate);
  const size = Array.from({ length: count }, (_, t) =>
    Math.sqrt(x.subarray(t * width, (t + 1) * width).reduce((sum, value) => sum + value * value, 0)),
  );
  const usual = median(size) + 1e-12;
  const spread = new Float64Array(width * width);
  for (let t = 0; t < count; t++) {
    const weight = 1 / (size[t] + usual) ** 2;
    for (let i = 0; i < width; i++) {
      const xi = weight * x[t * width + i];
      for (let j = i; j < width; j++) spread[i * width + j] += xi * x[t * width + j];
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) spread[i * width + j] = spread[j * width + i];
  }
  const vectors = largestEigenvectors(spread, width, COMPONENTS);
  const scores = new Float64Array(count * vectors.length);
  for (let t = 0; t < count; t++) {
    const pulled = Math.min(1, (2 * usual) / Math.max(size[t], 1e-12));
    vectors.forEach((vector, k) => {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += x[t * width + d] * vector[d];
      scores[t * vectors.length + k] = sum * pulled;
    });
  }
  return scores;
}

/** The lag at which the pose comes back, or null. */
function periodOf(motion, count, width, rate) {
  const shortest = Math.max(2, Math.floor(SHORTEST * rate));
  const longest = Math.min(Math.floor(LONGEST * rate), Math.floor(0.6 * count));
  const squares = Array.from({ length: count }, (_, t) =>
    motion.subarray(t * width, (t + 1) * width).reduce((sum, value) => sum + value * value, 0),
  );
  const usual = 2 * median(squares);
  if (longest <= shortest || !(usual > 1e-12)) return null;
  const apart = new Float64Array(longest + 1);
  for (let lag = 1; lag <= longest; lag++) {
    const squared = new Float64Array(count - lag);
    for (let t = 0; t < count - lag; t++) {
      for (let d = 0; d < width; d++) {
        squared[t] += (motion[(t + lag) * width + d] - motion[t * width + d]) ** 2;
      }
    }
    apart[lag] = upperMedian(squared) / usual;
  }
  const farthest = apart.slice();
  for (let lag = 1; lag <= longest; lag++) farthest[lag] = Math.max(farthest[lag], farthest[lag - 1]);
  const back = peaksOf(apart.map((value) => -value)).filter(
    (lag) => lag >= shortest && apart[lag] < 0.5 * farthest[lag],
  );
  if (!back.length) return null;
  const best = Math.min(...back.map((lag) => apart[lag]));
  return back.find((lag) => apart[lag] <= best + 0.15 * (farthest[lag] - best));
}

/** The component with the largest usual size that comes back after `lag`. */
function mostPeriodic(motion, count, width, lag) {
  let [best, column] = [-Infinity, 0];
  for (let d = 0; d < width; d++) {
    let [same, later, sooner] = [0, 0, 0];
    for (let t = 0; t < count - lag; t++) {
      const [a, b] = [motion[(t + lag) * width + d], motion[t * width + d]];
      same += a * b;
      later += a * a;
      sooner += b * b;
    }
    const full = Math.sqrt(later * sooner) + 1e-12;
    const sizes = Array.from({ length: count }, (_, t) => Math.abs(motion[t * width + d]));
    const value = median(sizes) ** 2 * Math.max(same / full, 0);
    if (value > best) [best, column] = [value, d];
  }
  return Float64Array.from({ length: count }, (_, t) => motion[t * width + column]);
}

/** Peaks of the signal or of its mirror image: whichever shows more repetitions, whole. */
function peaksAndSide(signal, motion, count, width, lag) {
  const speed = Array.from({ length: count }, (_, t) => {
    const [a, b] = [Math.max(t - 1, 0), Math.min(t + 1, count - 1)];
    let sum = 0;
    for (let d = 0; d < width; d++) {
      sum += ((motion[b * width + d] - motion[a * width + d]) / (b - a)) ** 2;
    }
    return Math.sqrt(sum);
  });
  const slow = quantile(speed, 0.15);
  const rest = median(signal.filter((_, t) => speed[t] <= slow));
  let best = null;
  for (const sign of [1, -1]) {
    const peaks = prominent(signal.map((value) => sign * value), lag);
    const away = peaks.length ? Math.abs(median(peaks.map((p) => signal[p])) - rest) : 0;
    const more = best && (peaks.length - best.peaks.length || away - best.away);
    if (best === null || more > 0) best = { peaks, away, sign };
  }
  return best;
}

function prominent(signal, lag) {
  const range = quantile(signal, 0.9) - quantile(signal, 0.1);
  const apart = farApart(signal, peaksOf(signal), Math.max(1, 0.6 * lag));
  const heights = prominences(signal, apart);
  const high = apart.filter((_, i) => heights[i] >= 0.25 * range);
  const tall = heights.filter((height) => height >= 0.25 * range);
  return tall.length ? high.filter((_, i) => tall[i] >= 0.5 * median(tall)) : [];
}

/** Troughs before, between and after the peaks; of a flat one the middle. */
function bordersOf(signal, peaks, lag) {
  const first = Math.max(0, peaks[0] - lag);
  const last = Math.min(signal.length, peaks[peaks.length - 1] + lag + 1);
  const edges = [first, ...peaks, last];
  return edges.slice(1).map((stop, i) => {
    const piece = signal.slice(edges[i], stop);
    const low = Math.min(...piece);
    const limit = low + 0.05 * (Math.max(...piece) - low);
    const near = Array.from(piece.keys()).filter((t) => piece[t] <= limit);
    if (i === 0) return edges[i] + near[near.length - 1];
    if (i === peaks.length) return edges[i] + near[0] + 1;
    return edges[i] + Math.trunc(median(near));
  });
}
