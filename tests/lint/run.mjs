/** `npm run lint`: typescript-eslint over src/ and docs/examples/, installed at the first run. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installPinned } from "../pinned.mjs";

installPinned(fileURLToPath(new URL(".", import.meta.url)));
const eslint = fileURLToPath(new URL("node_modules/eslint/bin/eslint.js", import.meta.url));
const cwd = fileURLToPath(new URL("../..", import.meta.url));
const args = [eslint, "--config", "tests/lint/eslint.config.mjs", "--max-warnings", "0", "src", "docs/examples"];
process.exitCode =
  spawnSync(process.execPath, [...args, ...process.argv.slice(2)], { cwd, stdio: "inherit" }).status ?? 1;
