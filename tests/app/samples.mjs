// What the page's own code makes of saved sessions, as JSON: node samples.mjs PAGE RUN.json SESSION…
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [page, run, ...sessions] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${page}/${name}`));
const { samplesOf } = await load("samples.js");
const { EvenClock, NotYet, toLayout } = await load("skeleton.js");
const { fromJson } = await load("session.js");
const manifest = JSON.parse(readFileSync(run, "utf8"));

const answers = sessions.map((file) => {
  const saved = fromJson(readFileSync(file, "utf8"), file);
  const clock = new EvenClock(manifest.fps);
  const ticks = saved.ticks.flatMap((landmarks, i) => clock.push(i / saved.fps, landmarks));
  try {
    const { samples, repetitions } = samplesOf(
      ticks.map((landmarks) => toLayout(landmarks, manifest.mapping)),
      manifest,
    );
    return { samples: samples.map((sample) => ({ ...sample, x: [...sample.x] })), repetitions };
  } catch (error) {
    if (!(error instanceof NotYet)) throw error;
    return { why: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
