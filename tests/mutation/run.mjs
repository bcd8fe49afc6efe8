/** `npm run mutation`: Stryker over src/, or over one file with `npm run mutation -- --mutate src/shared/values.ts`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installPinned } from "../pinned.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
installPinned(here);
const stryker = fileURLToPath(new URL("node_modules/@stryker-mutator/core/bin/stryker.js", import.meta.url));
const args = [stryker, "run", "tests/mutation/stryker.config.json", ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" }).status ?? 1;
