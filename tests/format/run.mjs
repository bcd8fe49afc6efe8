/** `npm run format` and `npm run format:check`: prettier over all files, installed at the first run. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installPinned } from "../pinned.mjs";

const files = "**/*.{ts,mjs,js,json,yml}";
installPinned(fileURLToPath(new URL(".", import.meta.url)));
const prettier = fileURLToPath(new URL("node_modules/prettier/bin/prettier.cjs", import.meta.url));
const cwd = fileURLToPath(new URL("../..", import.meta.url));
const args = [prettier, process.argv.includes("--check") ? "--check" : "--write", "--log-level", "warn", files];
process.exitCode = spawnSync(process.execPath, args, { cwd, stdio: "inherit" }).status ?? 1;
