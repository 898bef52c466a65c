// Evaluates tokens of an action with GitHub's own expression language.
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { isBasicExpression, isMapping, isScalar } from "@actions/workflow-parser";

const CONTEXTS = ["github", "env", "inputs", "steps", "runner", "job", "matrix", "needs", "strategy", "vars", "secrets"];
const STATUS_FUNCTIONS = ["success", "always", "failure", "cancelled"].map((name) => ({ name, minArgs: 0, maxArgs: 0 }));

export function evaluate(expression, contexts, failed = false) {
  const tokens = new Lexer(expression).lex().tokens;
  const tree = new Parser(tokens, CONTEXTS, STATUS_FUNCTIONS).parse();
  const answers = { success: !failed, always: true, failure: failed, cancelled: false };
  const functions = new Map(
    STATUS_FUNCTIONS.map((info) => [info.name, { ...info, call: () => new data.BooleanData(answers[info.name]) }]),
  );
  return new Evaluator(tree, dataOf(contexts), functions).evaluate();
}

/** A scalar token as the string that the runner passes on. */
export function textOf(token, contexts) {
  if (!isScalar(token)) throw new Error("a value where only text can be");
  return isBasicExpression(token) ? evaluate(token.expression, contexts).coerceString() : token.toString();
}

/** A mapping token as names and strings; nothing where there is none. */
export function textsOf(token, contexts) {
  if (token === undefined) return {};
  if (!isMapping(token)) throw new Error("a mapping was expected");
  return Object.fromEntries([...token].map(({ key, value }) => [key.toString(), textOf(value, contexts)]));
}

/** As the language has it: empty text, 0, false and null are false. */
export function isTrue(value) {
  switch (value.kind) {
    case data.Kind.Null:
      return false;
    case data.Kind.Boolean:
      return value.value;
    case data.Kind.Number:
      return value.value !== 0 && !Number.isNaN(value.value);
    case data.Kind.String:
      return value.value.length > 0;
    default:
      return true;
  }
}

function dataOf(value) {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(dataOf));
  return new data.Dictionary(...Object.entries(value).map(([key, inner]) => ({ key, value: dataOf(inner) })));
}
