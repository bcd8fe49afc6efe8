/** Servers that run as child processes, for the tests of runtimes and frameworks. */
import { spawn } from "node:child_process";

/** Child processes to kill on an interrupt. */
export const running = new Set();

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** An environment without the variables of an outer `npm run`, which an inner npm would read. */
export const withoutNpm = (env) => Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_/i.test(name)));

/** Starts a server at `origin`, passes a function that returns its output to `use`, and stops the server. */
export async function serve(origin, binary, args, options, use = () => {}) {
  const child = spawn(binary, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  running.add(child);
  const closed = new Promise((resolve) => child.once("close", resolve));
  try {
    await waitForResponse(origin, child);
    return await use(() => output);
  } catch (error) {
    throw new Error(`${error.message}\n${output.trim()}`, { cause: error });
  } finally {
    child.kill();
    const kill = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await closed;
    clearTimeout(kill);
    running.delete(child);
  }
}

async function waitForResponse(origin, child) {
  for (const start = Date.now(); ; await sleep(100)) {
    if (child.exitCode !== null || Date.now() - start > 60_000) throw new Error("The server does not respond.");
    try {
      return await (await fetch(origin)).text();
    } catch {
      // Not started yet.
    }
  }
}
