#!/usr/bin/env node
/** The executable of `npx twiml-fax`: output, colors and exit codes. */
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { runCommand, UsageError } from "./cli/commands.js";

/** Colors only on a terminal, and not if the user disabled them: https://no-color.org */
const isColorEnabled = process.stdout.isTTY && !process.env["NO_COLOR"];

function print(text: string): void {
  process.stdout.write(`${isColorEnabled ? text : stripVTControlCharacters(text)}\n`);
}

// `| head` closes the pipe early.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? process.exitCode : 1),
);

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

runCommand(process.argv.slice(2), print, version).then(
  (code) => void (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
