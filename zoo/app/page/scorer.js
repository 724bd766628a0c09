// Runs in a worker, so that the picture does not wait for the model: frames in, scores out.

import { Model } from "./model.js";
import { aggregated, beyond, intervalAround, samplesOf } from "./samples.js";
import { NotYet } from "./skeleton.js";
import * as ort from "./vendor/runtime/ort.wasm.min.mjs";

let opened = null; // the model, once it is there
let manifest = null;
let frames = [];
let scored = 0;
let session = 0;
let live = true;
let ended = false;
let working = false;

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === "open") {
      manifest = data.manifest;
      opened = open();
      await opened;
    }
    if (data.kind === "begin") {
      ({ session, live } = data);
      [frames, scored, ended] = [[], 0, false];
    }
    if (data.kind === "frames" && data.session === session) {
      frames.push(...data.frames);
      ended = data.last;
      await work();
    }
  } catch (error) {
    self.postMessage({ kind: "failed", why: String(error?.message ?? error) });
  }
};

async function open() {
  ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send
  ort.env.wasm.wasmPaths = new URL("./vendor/runtime/", import.meta.url).href;
  ort.env.logLevel = "error";
  const answer = await fetch(new URL("./model/model.onnx", import.meta.url));
  if (!answer.ok) throw new Error(`the model cannot be read: ${answer.status}`);
  return Model.open(ort, new Uint8Array(await answer.arrayBuffer()));
}

/** Score what is there about each second; a camera's frames that came meanwhile together. */
async function work() {
  if (working) return;
  working = true;
  try {
    const model = await opened;
    const second = Math.round(manifest.fps);
    while (frames.length - scored >= second || (ended && scored < frames.length)) {
      scored = live ? frames.length : Math.min(scored + second, frames.length);
      await score(model, frames.slice(0, scored), session, ended && scored === frames.length);
    }
  } finally {
    working = false;
  }
}

async function score(model, part, of, last) {
  const begun = performance.now();
  const told = { kind: "scored", session: of, frames: part.length, last };
  try {
    const { samples, repetitions } = samplesOf(part, manifest);
    const { scores, deviations } = await model.says(samples, manifest.skeleton.joints.length);
    const total = aggregated(scores, manifest.aggregate);
    if (!Number.isFinite(total)) throw new Error("the model's score is no finite number");
    self.postMessage({
      ...told,
      score: total,
      interval: intervalAround(total, deviations, manifest),
      beyond: beyond(total, manifest.scale),
      samples: samples.map(({ start, stop }, i) => ({ start, stop, score: scores[i] })),
      repetitions,
      ms: performance.now() - begun,
    });
  } catch (error) {
    if (!(error instanceof NotYet)) throw error;
    self.postMessage({ ...told, kind: "not-yet", why: error.message });
  }
}
