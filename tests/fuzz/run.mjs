/** `npm run fuzz`: every property with a quarter of a million cases, from a new seed. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { FUZZ_RUNS = "250000", FUZZ_SEED = String(1 + (Date.now() % 2 ** 31)) } = process.env;
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const args = [vitest, "run", "--project", "slow", "tests/fuzz", "--testTimeout", "3600000", ...process.argv.slice(2)];
const env = { ...process.env, FUZZ_RUNS, FUZZ_SEED };
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" }).status ?? 1;
