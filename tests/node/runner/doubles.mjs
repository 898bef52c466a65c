// Stand-ins for the actions that a step may use: on this disk, and with the contract that their own pages state.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

const linesOf = (text) => (text ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");

/** An entry is found only by who names the same paths, as these are part of what GitHub calls its version. */
const versionOf = (paths) => createHash("sha256").update(paths.join("|")).digest("hex").slice(0, 16);

function entries(store, paths) {
  const folder = join(store, "cache", versionOf(paths));
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => ({ ...JSON.parse(readFileSync(join(folder, name), "utf8")), archive: join(folder, name.replace(/\.json$/, "")) }))
    .sort((one, other) => other.number - one.number);
}

/** By links to the same files: they are gigabytes, and nobody changes a runtime in its place. */
function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  const done = spawnSync("cp", ["--archive", "--link", "--no-target-directory", from, to], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`cp: ${done.stderr}`);
}

/** Exactly `key`, else the newest that begins with `key`, else the newest that begins with one of restore-keys. */
function restore(inputs, { store }) {
  const paths = linesOf(inputs.path);
  const known = entries(store, paths);
  const found =
    known.find((entry) => entry.key === inputs.key) ??
    [inputs.key, ...linesOf(inputs["restore-keys"])]
      .map((prefix) => known.find((entry) => entry.key.startsWith(prefix)))
      .find((entry) => entry !== undefined);
  for (const path of found ? paths.filter((each) => existsSync(found.archive + each)) : []) copy(found.archive + path, path);
  return {
    log: found ? `Cache restored from key: ${found.key}` : `Cache not found for input keys: ${inputs.key}`,
    outputs: {
      "cache-primary-key": inputs.key,
      ...(found ? { "cache-hit": String(found.key === inputs.key), "cache-matched-key": found.key } : { "cache-hit": "" }),
    },
  };
}

/** What was saved stays as it is: a second save under its key is a warning. So is one of paths that are not there. */
function save(inputs, { store }) {
  const paths = linesOf(inputs.path);
  const known = entries(store, paths);
  if (known.some((entry) => entry.key === inputs.key)) return { log: `::warning::Cache already exists: ${inputs.key}` };
  const there = paths.filter((path) => existsSync(path));
  if (there.length === 0) return { log: "::warning::Path Validation Error: nothing to be cached" };
  const folder = join(store, "cache", versionOf(paths));
  mkdirSync(folder, { recursive: true });
  const name = createHash("sha256").update(inputs.key).digest("hex").slice(0, 16);
  for (const path of there) copy(path, join(folder, name) + path);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ key: inputs.key, number: known.length }));
  return { log: `Cache saved with key: ${inputs.key}` };
}

function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

/** Files keep their paths from the folder that all of them have in common. */
function upload(inputs, { store }) {
  const files = linesOf(inputs.path).filter((path) => existsSync(path)).flatMap(filesBelow);
  if (files.length === 0) {
    if (inputs["if-no-files-found"] === "error") throw new Error(`No files were found with the provided path: ${inputs.path}`);
    return { log: "::warning::No files were found; no artifacts will be uploaded." };
  }
  const name = inputs.name || "artifact";
  if (/["<>|*?\r\n:\\/]/.test(name)) throw new Error(`The artifact name is not valid: ${name}`);
  const folder = join(store, "artifacts", name);
  if (existsSync(folder) && inputs.overwrite !== "true") throw new Error(`409: an artifact with this name already exists: ${name}`);
  rmSync(folder, { recursive: true, force: true });
  let common = dirname(files[0]);
  while (!files.every((file) => file.startsWith(`${common}/`))) common = dirname(common);
  for (const file of files) cpSync(file, join(folder, relative(common, file)));
  return { log: `Artifact ${basename(name)} has been uploaded`, outputs: { "artifact-id": "1" } };
}

/** For a workflow: every artifact whose name fits is merged into one folder. */
function download(inputs, { store, workspace }) {
  const folder = join(store, "artifacts");
  const fits = inputs.name ? (name) => name === inputs.name : patternOf(inputs.pattern || "*");
  const names = existsSync(folder) ? readdirSync(folder).filter(fits) : [];
  if (inputs.name && names.length === 0) throw new Error(`Unable to download artifact(s): not found: ${inputs.name}`);
  const target = join(workspace, inputs.path || ".");
  for (const name of names) {
    const flat = inputs.name || inputs["merge-multiple"] === "true";
    cpSync(join(folder, name), flat ? target : join(target, name), { recursive: true });
  }
  return { log: `Downloaded ${names.length} artifact(s)` };
}

function patternOf(pattern) {
  const expression = new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`);
  return (name) => expression.test(name);
}

export const doubles = {
  "actions/cache/restore": restore,
  "actions/cache/save": save,
  "actions/upload-artifact": upload,
  "actions/download-artifact": download,
};
