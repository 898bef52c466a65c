// Reads an action with GitHub's own parser.
import { readFileSync } from "node:fs";
import { NoOperationTraceWriter, isMapping } from "@actions/workflow-parser";
import { convertActionTemplate, parseAction } from "@actions/workflow-parser/actions/index";

/** The inputs, outputs and steps of a composite action. Throws where GitHub would refuse it. */
export function readAction(path) {
  const { context, value } = parseAction({ name: "action.yml", content: readFileSync(path, "utf8") }, new NoOperationTraceWriter());
  const action = convertActionTemplate(context, value);
  const errors = context.errors.getErrors();
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join("\n"));
  if (action.runs.using !== "composite") throw new Error("no composite action");
  const raw = [...field(field(value, "runs"), "steps")];
  const steps = action.runs.steps.map((step, index) => ({
    id: step.id.startsWith("__") ? "" : step.id,
    name: step.name?.toString() ?? "",
    if: step.if?.expression ?? "success()",
    uses: field(raw[index], "uses")?.toString(),
    run: field(raw[index], "run"),
    shell: field(raw[index], "shell")?.toString(),
    env: field(raw[index], "env"),
    with: field(raw[index], "with"),
    continueOnError: field(raw[index], "continue-on-error")?.toString() === "true",
  }));
  return { inputs: action.inputs ?? [], outputs: action.outputs ?? [], steps };
}

function field(token, name) {
  if (token === undefined || !isMapping(token)) return undefined;
  return [...token].find(({ key }) => key.toString() === name)?.value;
}
