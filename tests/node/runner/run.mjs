// run.mjs REQUEST: runs a composite action and prints, as JSON, what came of each step and of the whole.
//
// REQUEST is a file with {action, workspace, temp, store, event: {name, action}, inputs, github, env}: folders of the
// action and the workspace, RUNNER_TEMP, a folder that lasts from one run to the next, one of GitHub's own examples of
// an event, and what the workflow gave.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAction } from "./action.mjs";
import { readCommands, readPairs } from "./commands.mjs";
import { doubles } from "./doubles.mjs";
import { evaluate, isTrue, textOf, textsOf } from "./expressions.mjs";

const SHELLS = { bash: ["bash", "--noprofile", "--norc", "-eo", "pipefail"], sh: ["sh", "-e"] };
const LOG_LIMIT = 256 * 1024 * 1024;

const request = JSON.parse(readFileSync(process.argv[2], "utf8"));
const action = readAction(join(request.action, "action.yml"));
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples");
const payload = examples
  .find((example) => example.name === request.event.name)
  .examples.find((example) => request.event.action === undefined || example.action === request.event.action);
const files = mkdtempSync(join(request.temp, "_runner_file_commands_"));
const event = join(files, "event.json");
writeFileSync(event, JSON.stringify(payload));
const summary = join(files, "summary.md");
writeFileSync(summary, "");

const github = {
  event: payload,
  event_name: request.event.name,
  event_path: event,
  workspace: request.workspace,
  action_path: request.action,
  token: "",
  repository: payload.repository.full_name,
  sha: payload.pull_request?.head.sha ?? payload.after ?? "",
  base_ref: payload.pull_request?.base.ref ?? "",
  ref_name: payload.pull_request ? `${payload.number}/merge` : (payload.ref ?? "").replace("refs/heads/", ""),
  run_id: "1",
  run_attempt: "1",
  server_url: "https://github.com",
  api_url: "https://api.github.com",
  ...request.github,
};
const runner = { os: "Linux", arch: "X64", temp: request.temp };
const exported = { ...request.env };
const steps = {};
const inputs = {};
for (const { id, default: preset } of action.inputs) {
  inputs[id] = request.inputs[id] ?? (preset === undefined ? "" : textOf(preset, { github, runner }));
}

function environment(own) {
  const { PATH, HOME } = process.env;
  const spoken = Object.entries(github).filter(([name, value]) => typeof value === "string" && name !== "token");
  return {
    PATH,
    HOME,
    CI: "true",
    GITHUB_ACTIONS: "true",
    RUNNER_TEMP: request.temp,
    RUNNER_OS: runner.os,
    RUNNER_ARCH: runner.arch,
    ...Object.fromEntries(spoken.map(([name, value]) => [`GITHUB_${name.toUpperCase()}`, value])),
    ...exported,
    ...own,
  };
}

function runScript(step, own, contexts, number) {
  const [output, env, path, script] = ["output", "env", "path", "script.sh"].map((name) => join(files, `${number}-${name}`));
  for (const file of [output, env, path]) writeFileSync(file, "");
  writeFileSync(script, textOf(step.run, contexts));
  const [shell, ...options] = SHELLS[step.shell];
  const done = spawnSync(shell, [...options, script], {
    cwd: request.workspace,
    env: { ...environment(own), GITHUB_OUTPUT: output, GITHUB_ENV: env, GITHUB_PATH: path, GITHUB_STEP_SUMMARY: summary },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: LOG_LIMIT,
  });
  const log = done.stdout + done.stderr;
  try {
    Object.assign(exported, readPairs(env));
    return { status: done.status, log, outputs: readPairs(output) };
  } catch (error) {
    return { status: done.status || 1, log: `${log}\n${error}`, outputs: {} };
  }
}

function runDouble(step, contexts) {
  const name = step.uses.split("@")[0];
  if (!(name in doubles)) throw new Error(`there is no stand-in for ${step.uses}`);
  try {
    return { status: 0, outputs: {}, ...doubles[name](textsOf(step.with, contexts), { store: request.store, workspace: request.workspace }) };
  } catch (error) {
    return { status: 1, log: String(error), outputs: {} };
  }
}

let failed = false;
const told = [];
mkdirSync(request.store, { recursive: true });
for (const [number, step] of action.steps.entries()) {
  const before = { github, runner, inputs, steps, env: exported };
  const begun = performance.now();
  let done = null;
  if (isTrue(evaluate(step.if, before, failed))) {
    const own = textsOf(step.env, before);
    const contexts = { ...before, env: { ...exported, ...own } };
    done = step.uses ? runDouble(step, contexts) : runScript(step, own, contexts, number);
  }
  const outcome = done === null ? "skipped" : done.status === 0 ? "success" : "failure";
  const conclusion = outcome === "failure" && step.continueOnError ? "success" : outcome;
  failed ||= conclusion === "failure";
  if (step.id) steps[step.id] = { outputs: done?.outputs ?? {}, outcome, conclusion };
  told.push({
    name: step.name,
    id: step.id,
    outcome,
    status: done?.status ?? null,
    seconds: (performance.now() - begun) / 1000,
    outputs: done?.outputs ?? {},
    log: done?.log ?? "",
    commands: readCommands(done?.log ?? ""),
  });
}

const outputs = {};
for (const { id, value } of action.outputs) outputs[id] = value === undefined ? "" : textOf(value, { github, runner, inputs, steps });
process.stdout.write(JSON.stringify({ succeeded: !failed, steps: told, outputs, summary: readFileSync(summary, "utf8"), env: exported }));
