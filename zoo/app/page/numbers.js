// Small numerics, each the same as numpy's or scipy's of the name given.

/** Median of the values; of an even count the mean of the middle two (numpy.median). */
export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The upper of two medians (numpy.partition at half the length). */
export function upperMedian(values) {
  return Float64Array.from(values).sort()[values.length >> 1];
}

/** The value below which a share of the values lies, interpolated (numpy.percentile). */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** Of halves the even neighbour, as Python rounds. */
export function roundHalfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

/** Rows (frames × width) convolved with a symmetric kernel, edges held (mode "nearest"). */
function convolved(rows, frames, width, kernel) {
  const radius = kernel.length >> 1;
  const out = new Float64Array(rows.length);
  for (let t = 0; t < frames; t++) {
    for (let k = -radius; k <= radius; k++) {
      const from = Math.min(Math.max(t + k, 0), frames - 1) * width;
      const weight = kernel[k + radius];
      for (let d = 0; d < width; d++) out[t * width + d] += weight * rows[from + d];
    }
  }
  return out;
}

/** scipy.ndimage.gaussian_filter1d(rows, sigma, axis=0, mode="nearest"). */
export function gaussian(rows, frames, width, sigma) {
  const radius = Math.floor(4 * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const sum = kernel.reduce((a, b) => a + b);
  return convolved(rows, frames, width, kernel.map((value) => value / sum));
}

/** scipy.ndimage.uniform_filter1d(rows, size, axis=0, mode="nearest"). */
export function boxed(rows, frames, width, size) {
  const before = size >> 1; // an even box reaches one frame further back
  const out = new Float64Array(rows.length);
  const at = (t) => Math.min(Math.max(t, 0), frames - 1) * width;
  for (let d = 0; d < width; d++) {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += rows[at(k - before) + d];
    for (let t = 0; t < frames; t++) {
      out[t * width + d] = sum / size;
      sum += rows[at(t + size - before) + d] - rows[at(t - before) + d];
    }
  }
  return out;
}

/**
 * Eigenvectors of a symmetric matrix (n × n), of the largest eigenvalues first, by Jacobi's
 * rotations; `count` of them, each an array of n. Their signs are arbitrary, as numpy's are.
 */
export function largestEigenvectors(matrix, n, count) {
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const scale = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) off += a[i * n + j] ** 2;
    if (off <= 1e-26 * scale) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q];
        if (apq * apq <= 1e-30 * scale) continue;
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const akp = a[k * n + p];
          const akq = a[k * n + q];
          a[k * n + p] = c * akp - s * akq;
          a[k * n + q] = s * akp + c * akq;
        }
        for (let k = 0; k < n; k++) {
          const apk = a[p * n + k];
          const aqk = a[q * n + k];
          a[p * n + k] = c * apk - s * aqk;
          a[q * n + k] = s * apk + c * aqk;
          const vp = vectors[k * n + p];
          const vq = vectors[k * n + q];
          vectors[k * n + p] = c * vp - s * vq;
          vectors[k * n + q] = s * vp + c * vq;
        }
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i]);
  return order
    .slice(0, count)
    .map((column) => Float64Array.from({ length: n }, (_, row) => vectors[row * n + column]));
}

/** Local maxima, of flat ones the middle (scipy.signal.find_peaks without conditions). */
export function peaksOf(values) {
  const found = [];
  let i = 1;
  while (i < values.length - 1) {
    if (values[i - 1] < values[i]) {
      let ahead = i + 1;
      while (ahead < values.length - 1 && values[ahead] === values[i]) ahead++;
      if (values[ahead] < values[i]) {
        found.push((i + ahead - 1) >> 1);
        i = ahead;
      }
    }
    i++;
  }
  return found;
}

/** How far each peak stands above the higher of the valleys beside it (peak_prominences). */
export function prominences(values, peaks) {
  return peaks.map((peak) => {
    let left = values[peak];
    for (let i = peak; i >= 0 && values[i] <= values[peak]; i--) left = Math.min(left, values[i]);
    let right = values[peak];
    for (let i = peak; i < values.length && values[i] <= values[peak]; i++) {
      right = Math.min(right, values[i]);
    }
    return values[peak] - Math.max(left, right);
  });
}

/** The peaks that are left when lower ones nearer than `distance` to a higher one are dropped. */
export function farApart(values, peaks, distance) {
  const least = Math.ceil(distance);
  const kept = peaks.map(() => true);
  const order = peaks.map((_, i) => i).sort((i, j) => values[peaks[i]] - values[peaks[j]] || i - j);
  for (const i of order.reverse()) {
    if (!kept[i]) continue;
    for (let k = i - 1; k >= 0 && peaks[i] - peaks[k] < least; k--) kept[k] = false;
    for (let k = i + 1; k < peaks.length && peaks[k] - peaks[i] < least; k++) kept[k] = false;
  }
  return peaks.filter((_, i) => kept[i]);
}

/**
 * Rows (count × width) at `frames` equally spaced times: a cubic spline through every frame with
 * the not-a-knot condition (scipy.interpolate.CubicSpline), as zoo.data.resample has it.
 */
export function resampled(rows, count, width, frames) {
  if (count === frames) return Float64Array.from(rows);
  const out = new Float64Array(frames * width);
  if (count === 1) {
    for (let t = 0; t < frames; t++) out.set(rows, t * width);
    return out;
  }
  const slopes = knotSlopes(rows, count, width);
  for (let t = 0; t < frames; t++) {
    const time = (t * (count - 1)) / (frames - 1 || 1);
    const i = Math.min(Math.floor(time), count - 2);
    const u = time - i;
    const h00 = (1 + 2 * u) * (1 - u) ** 2;
    const h10 = u * (1 - u) ** 2;
    const h01 = u * u * (3 - 2 * u);
    const h11 = u * u * (u - 1);
    for (let d = 0; d < width; d++) {
      const a = i * width + d;
      const b = a + width;
      out[t * width + d] = h00 * rows[a] + h10 * slopes[a] + h01 * rows[b] + h11 * slopes[b];
    }
  }
  return out;
}

/** The spline's slope at every frame: a tridiagonal system, the same for every column. */
function knotSlopes(rows, count, width) {
  const step = (t, d) => rows[(t + 1) * width + d] - rows[t * width + d];
  const slopes = new Float64Array(count * width);
  if (count === 2) {
    for (let d = 0; d < width; d++) slopes[d] = slopes[width + d] = step(0, d);
    return slopes;
  }
  if (count === 3) {
    for (let d = 0; d < width; d++) {
      const bend = step(1, d) - step(0, d);
      slopes[d] = step(0, d) - bend / 2;
      slopes[width + d] = (step(0, d) + step(1, d)) / 2;
      slopes[2 * width + d] = step(1, d) + bend / 2;
    }
    return slopes;
  }
  const last = count - 1;
  const upper = new Float64Array(count);
  for (let t = 0; t <= last; t++) {
    const below = t === 0 ? 0 : t === last ? 2 : 1;
    const middle = t === 0 || t === last ? 1 : 4;
    const above = t === 0 ? 2 : 1;
    const pivot = middle - below * (t ? upper[t - 1] : 0);
    upper[t] = above / pivot;
    for (let d = 0; d < width; d++) {
      let right;
      if (t === 0) right = (5 * step(0, d) + step(1, d)) / 2;
      else if (t === last) right = (step(last - 2, d) + 5 * step(last - 1, d)) / 2;
      else right = 3 * (step(t - 1, d) + step(t, d));
      const before = t ? slopes[(t - 1) * width + d] : 0;
      slopes[t * width + d] = (right - below * before) / pivot;
    }
  }
  for (let t = last - 1; t >= 0; t--) {
    for (let d = 0; d < width; d++) {
      slopes[t * width + d] -= upper[t] * slopes[(t + 1) * width + d];
    }
  }
  return slopes;
}
