/**
 * Installs the exact versions of a folder's own package.json, for scripts that are rarely run. `npm ci` does not
 * install them, and git ignores the folder's node_modules/.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Does nothing if all packages are installed in these versions. */
export function installPinned(folder) {
  const pins = Object.entries(manifest(folder).devDependencies);
  const missing = pins.filter(([name, pin]) => {
    const installed = join(folder, "node_modules", name);
    // An alias has the form npm:name@version.
    return !existsSync(installed) || manifest(installed).version !== pin.replace(/^npm:.*@/, "");
  });
  if (missing.length === 0) return;
  console.error(`Installing ${missing.map(([name]) => name).join(", ")} into ${folder} (only once).`);
  // Peers such as vitest are in the root. No lock file: the versions are exact.
  npm(folder, "install", "--include=dev", "--legacy-peer-deps", "--no-package-lock", "--no-audit", "--no-fund");
}

/** Runs npm without the variables of the `npm run` around it. On Windows `npm` is a shell script. */
function npm(folder, ...args) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const own = process.env.npm_execpath;
  const options = { cwd: folder, env, stdio: ["ignore", 2, 2] };
  const { status } = own
    ? spawnSync(process.execPath, [own, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (status !== 0) throw new Error(`npm install failed in ${folder}`);
}
