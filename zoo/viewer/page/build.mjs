/* Bundles what the page uses of three.js into ../templates/three.min.js: `npm ci && npm run build`.
   With an argument it writes there instead. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const read = (file) => readFileSync(here(file), "utf8");
const { version } = JSON.parse(read("node_modules/three/package.json"));
const licence = read("node_modules/three/LICENSE").trim();

await build({
  entryPoints: [here("three.js")],
  outfile: process.argv[2] ?? here("../templates/three.min.js"),
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "THREE",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  banner: { js: `/*! three.js ${version}, https://threejs.org\n\n${licence}\n*/` },
});
