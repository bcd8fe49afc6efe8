/**
 * The packed library in the real frameworks, each of them built and started as its users do it:
 *
 *   npm run test:frameworks
 *
 * The frameworks come from the npm registry, in the versions of the apps' package.json; everything is temporary.
 */
import { exec, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../free-port.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const TOKEN = "PSK_a-test-key";
const REJECTED = "+15005550006";
/** Not where the server listens: that publicUrl counts, and not the Host header, is half of the test. */
const PUBLIC_URL = "https://fax.example.com";

const APPS = [
  {
    folder: "next",
    package: "next",
    paths: ["/fax"],
    servers: [
      {
        name: "Next.js",
        args: (port) => ["node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", port],
      },
    ],
  },
  {
    folder: "nest",
    package: "@nestjs/core",
    paths: ["/fax", "/controller/fax"],
    servers: ["express", "fastify"].map((adapter) => ({
      name: `NestJS on ${adapter}`,
      args: () => ["dist/main.js"],
      env: { ADAPTER: adapter },
    })),
  },
];

/** Nothing of npm's, which would count for the inner npm too, and no secret: the apps have to build without one. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_.*|NODE_ENV|SIGNALWIRE_SIGNING_KEY|PUBLIC_URL|PORT|HOST|ADAPTER)$/i.test(name),
  ),
);
Object.assign(environment, { NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" });

/** What an interrupt must not leave behind. */
const running = new Set();
let temporary;
let failures = 0;

function report(name, problem) {
  if (problem !== undefined) failures++;
  console.log(problem === undefined ? `ok      ${name}` : `FAILED  ${name}: ${problem}`);
}

/** A line for the shell, because npm is a script of the shell's on Windows. */
async function shell(cwd, line) {
  try {
    await promisify(exec)(line, { cwd, env: environment, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error([`${line} failed`, error.stdout, error.stderr].filter(Boolean).join("\n"), { cause: error });
  }
}

async function pack() {
  await shell(root, "npm run build");
  await shell(root, `npm pack --ignore-scripts --pack-destination "${temporary}"`);
  return (await readdir(temporary)).find((name) => name.endsWith(".tgz"));
}

/** A fresh copy of an app with its framework and the packed library, built. */
async function build({ folder }, tarball) {
  const app = join(temporary, folder);
  const isSource = (path) => !/[\\/](node_modules|dist|\.next)$/.test(path.slice(here.length));
  await cp(join(here, folder), app, { recursive: true, filter: isSource });
  await shell(app, `npm install --no-audit --no-fund "../${tarball}"`);
  await shell(app, "npm run build");
  return app;
}

/** Starts a server, and gives `use` its origin and a function for what it has printed. */
async function serve(app, { args, env }, use) {
  const port = String(await freePort());
  const secrets = { SIGNALWIRE_SIGNING_KEY: TOKEN, PUBLIC_URL };
  const child = spawn(process.execPath, args(port), {
    cwd: app,
    env: { ...environment, ...env, ...secrets, PORT: port, HOST: "127.0.0.1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  running.add(child);
  const closed = new Promise((resolve) => child.once("close", resolve));
  try {
    const origin = `http://127.0.0.1:${port}`;
    await answering(origin, child);
    await use(origin, () => output);
  } catch (error) {
    throw new Error(`${error.message}\n${output}`, { cause: error });
  } finally {
    child.kill();
    const kill = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await closed;
    clearTimeout(kill);
    running.delete(child);
  }
}

/** Waits until a server answers anything at all. */
async function answering(origin, child) {
  for (const start = Date.now(); ; await sleep(100)) {
    if (child.exitCode !== null || Date.now() - start > 60_000) throw new Error("The server does not serve.");
    try {
      return await (await fetch(origin)).text();
    } catch {
      // Not yet.
    }
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The faxes, by what has to come of them. */
const FAXES = {
  "an accepted fax": { outcome: "received", told: "received" },
  "an accepted fax by GET": { fax: { method: "GET" }, outcome: "received", told: "received" },
  "a rejected fax": { fax: { from: REJECTED }, outcome: "rejected" },
  "a failed fax": { fax: { outcome: "failed" }, outcome: "failed", told: "failed" },
  // A parser that nests makes a[b]=1 into something that was not signed.
  "a parameter with brackets": { fax: { params: { "Odd[name]": "1" } }, outcome: "received", told: "received" },
  "a forged fax": { token: "guessed", outcome: "error", status: 403, body: /^forbidden$/ },
  "a callback that throws": {
    fax: { params: { NumPages: "0" } },
    outcome: "error",
    status: 500,
    body: /^(?!.*secret)/s,
  },
};

/** Plays every fax against one URL. */
async function play(name, createFaxProvider, origin, path, output) {
  // The provider signs the public URL; a proxy in front of the server would pass it on like this.
  const forward = (request) => fetch(new Request(request.url.replace(PUBLIC_URL, origin), request));
  for (const [what, { fax, token = TOKEN, ...expected }] of Object.entries(FAXES)) {
    const provider = createFaxProvider({ url: PUBLIC_URL + path, authToken: token, fetch: forward });
    const transcript = await provider.sendFax(fax);
    report(`${name} ${path}: ${what}`, await problemOf(transcript, expected, output));
  }
}

/** What is not as expected, or nothing. */
async function problemOf({ faxSid, outcome, error, exchanges }, { status = 200, body, ...expected }, output) {
  const { response } = exchanges.at(-1);
  if (outcome !== expected.outcome) return `${outcome}, not ${expected.outcome}; ${error?.message ?? "no error"}`;
  if (response?.status !== status) return `status ${response?.status}, not ${status}`;
  if (body && !body.test(response.body)) return `body ${JSON.stringify(response.body)}`;
  const isTold = () => output().includes(`told ${faxSid} ${expected.told ?? ""}`);
  // A pipe is not as fast as an answer.
  for (let tries = 0; expected.told && !isTold() && tries < 50; tries++) await sleep(100);
  return isTold() === Boolean(expected.told) ? undefined : `onCallback was ${isTold() ? "" : "not "}called`;
}

/** One app, from its installation to its last fax. What goes wrong there leaves the other apps alone. */
async function tryApp(each, tarball) {
  let name = each.folder;
  try {
    const app = await build(each, tarball);
    const { version } = JSON.parse(await readFile(join(app, "node_modules", each.package, "package.json"), "utf8"));
    report(`${each.package} ${version}: builds without the secret`);
    const testing = join(app, "node_modules/twiml-fax/dist/testing/index.js");
    const { createFaxProvider } = await import(pathToFileURL(testing).href);
    for (const server of each.servers) {
      name = `${server.name} ${version}`;
      await serve(app, server, async (origin, output) => {
        for (const path of each.paths) await play(name, createFaxProvider, origin, path, output);
      });
    }
  } catch (error) {
    report(name, error.message);
  }
}

function interrupted(code) {
  for (const child of running) child.kill("SIGKILL");
  if (temporary) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}
process.once("SIGINT", () => interrupted(130));
process.once("SIGTERM", () => interrupted(143));

try {
  temporary = await mkdtemp(join(tmpdir(), "twiml-fax-frameworks-"));
  const tarball = await pack();
  for (const each of APPS) await tryApp(each, tarball);
} finally {
  if (temporary) await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
}
console.log(failures === 0 ? "\nall passed" : `\n${failures} failed`);
if (failures > 0) process.exitCode = 1;
