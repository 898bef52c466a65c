// GitHub's parser imports JSON without the attribute that Node asks for: node --import ./json-modules.mjs …
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  return { format: "module", source: `export default ${await readFile(new URL(url), "utf8")}`, shortCircuit: true };
}
