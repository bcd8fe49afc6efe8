/** `npm run test:types`: the packed package under more TypeScript versions than `npm test` has, and attw. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installPinned } from "../pinned.mjs";

installPinned(fileURLToPath(new URL(".", import.meta.url)));
const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const args = [vitest, "run", "--project", "slow", "tests/package", ...process.argv.slice(2)];
const env = { ...process.env, ALL_TYPES: "1" };
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }).status ?? 1;
