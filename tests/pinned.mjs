/**
 * Installs what only a seldom script needs: the exact versions of a folder's own package.json, in the node_modules/
 * beside it, which git ignores. So `npm ci` does not bring them, and a clean clone needs nothing but the script.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Does nothing when all of them are there, in these versions. */
export function installPinned(folder) {
  const pins = Object.entries(manifest(folder).devDependencies);
  const missing = pins.filter(([name, pin]) => {
    const installed = join(folder, "node_modules", name);
    // An alias is written npm:name@version.
    return !existsSync(installed) || manifest(installed).version !== pin.replace(/^npm:.*@/, "");
  });
  if (missing.length === 0) return;
  console.error(`Installing ${missing.map(([name]) => name).join(", ")} into ${folder}, once.`);
  // Peers such as vitest are the root's; a lock file would be one more to keep up to date.
  npm(folder, "install", "--include=dev", "--legacy-peer-deps", "--no-package-lock", "--no-audit", "--no-fund");
}

/** npm in a folder of its own, whatever `npm run` surrounds this. On Windows `npm` is a script of the shell. */
function npm(folder, ...args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const own = process.env.npm_execpath;
  const options = { cwd: folder, env, stdio: ["ignore", 2, 2] };
  const { status } = own
    ? spawnSync(process.execPath, [own, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`npm install failed in ${folder}`);
}
