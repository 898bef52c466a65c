// What a step tells the runner: through files, and through lines of its output.
import { readFileSync } from "node:fs";

/** `name=value` and `name<<DELIMITER` blocks, as in GITHUB_OUTPUT and GITHUB_ENV. Throws as the runner does. */
export function readPairs(path) {
  const pairs = {};
  const lines = readFileSync(path, "utf8").split("\n");
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] === "") continue;
    const equals = lines[at].indexOf("=");
    const block = lines[at].indexOf("<<");
    if (equals >= 0 && (block < 0 || equals < block)) {
      pairs[lines[at].slice(0, equals)] = lines[at].slice(equals + 1);
    } else if (block >= 0) {
      const end = lines.indexOf(lines[at].slice(block + 2), at + 1);
      if (end < 0) throw new Error(`a value without an end: ${lines[at]}`);
      pairs[lines[at].slice(0, block)] = lines.slice(at + 1, end).join("\n");
      at = end;
    } else {
      throw new Error(`invalid format '${lines[at]}'`);
    }
  }
  return pairs;
}

/** The `::commands::` that the runner would obey, which it does not between stop-commands and its token. */
export function readCommands(log) {
  const obeyed = [];
  let stopped = null;
  for (const line of log.split("\n")) {
    const found = /^\s*::([A-Za-z0-9_-]+)( [^:]*)?::(.*)$/.exec(line);
    if (!found) continue;
    if (stopped !== null) {
      if (found[1] === stopped) stopped = null;
    } else if (found[1] === "stop-commands") {
      stopped = found[3].trim();
    } else {
      obeyed.push({ command: found[1], properties: (found[2] ?? "").trim(), message: found[3] });
    }
  }
  return obeyed;
}
