/**
 * Tests the packed library in Next.js and NestJS, built and started as users do it:
 *
 *   npm run test:frameworks
 *
 * The frameworks come from the npm registry, in the versions of each app's package.json; everything is temporary.
 */
import { exec } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { running, serve, sleep, withoutNpm } from "../child-server.mjs";
import { freePort } from "../free-port.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const TOKEN = "PSK_a-test-key";
const REJECTED = "+15005550006";
/** Not the server's own address, so that a signature is valid only with publicUrl. */
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

/** Without npm's variables, which the inner npm would read, and without secrets: the apps must build without them. */
const environment = { ...withoutNpm(process.env), NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };
for (const name of ["NODE_ENV", "SIGNALWIRE_SIGNING_KEY", "PUBLIC_URL", "PORT", "HOST", "ADAPTER"]) {
  delete environment[name];
}

let temporary;
let failures = 0;

function report(name, problem) {
  if (problem !== undefined) failures++;
  console.log(problem === undefined ? `ok      ${name}` : `FAILED  ${name}: ${problem}`);
}

/** Runs a line in a shell, because npm is a shell script on Windows. */
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

/** Copies an app, installs its framework and the packed library, and builds it. */
async function build({ folder }, tarball) {
  const app = join(temporary, folder);
  const isSource = (path) => !/[\\/](node_modules|dist|\.next)$/.test(path.slice(here.length));
  await cp(join(here, folder), app, { recursive: true, filter: isSource });
  await shell(app, `npm install --no-audit --no-fund "../${tarball}"`);
  await shell(app, "npm run build");
  return app;
}

/** Starts a server, and passes its origin and a function that returns its output to `use`. */
async function start(app, { args, env }, use) {
  const port = String(await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const secrets = { SIGNALWIRE_SIGNING_KEY: TOKEN, PUBLIC_URL };
  const options = { cwd: app, env: { ...environment, ...env, ...secrets, PORT: port, HOST: "127.0.0.1" } };
  await serve(origin, process.execPath, args(port), options, (getOutput) => use(origin, getOutput));
}

/** The faxes and their expected results. `callback` is the status that `onCallback` receives. */
const FAXES = {
  "an accepted fax": { outcome: "received", callback: "received" },
  "an accepted fax by GET": { fax: { method: "GET" }, outcome: "received", callback: "received" },
  "a rejected fax": { fax: { from: REJECTED }, outcome: "rejected" },
  "a failed fax": { fax: { outcome: "failed" }, outcome: "failed", callback: "failed" },
  // A parser that nests a[b]=1 changes what was signed.
  "a parameter with brackets": { fax: { params: { "Name[key]": "1" } }, outcome: "received", callback: "received" },
  "a forged fax": { token: "guessed", outcome: "error", status: 403, body: /^forbidden$/ },
  "a callback that throws": {
    fax: { params: { NumPages: "0" } },
    outcome: "error",
    status: 500,
    body: /^(?!.*secret)/s,
  },
};

/** Sends every fax to one URL. */
async function sendFaxes(name, createFaxProvider, origin, path, output) {
  // The provider signs the public URL; a proxy would forward the request like this.
  const forward = (request) => fetch(new Request(request.url.replace(PUBLIC_URL, origin), request));
  for (const [what, { fax, token = TOKEN, ...expected }] of Object.entries(FAXES)) {
    const provider = createFaxProvider({ url: PUBLIC_URL + path, authToken: token, fetch: forward });
    const transcript = await provider.sendFax(fax);
    report(`${name} ${path}: ${what}`, await findProblem(transcript, expected, output));
  }
}

/** The first difference from the expected result, if any. */
async function findProblem({ faxSid, outcome, error, exchanges }, { status = 200, body, ...expected }, output) {
  const { response } = exchanges.at(-1);
  if (outcome !== expected.outcome) return `${outcome}, not ${expected.outcome}; ${error?.message ?? "no error"}`;
  if (response?.status !== status) return `status ${response?.status}, not ${status}`;
  if (body && !body.test(response.body)) return `body ${JSON.stringify(response.body)}`;
  const isCalled = () => output().includes(`onCallback ${faxSid} ${expected.callback ?? ""}`);
  // The output can arrive after the response.
  for (let tries = 0; expected.callback && !isCalled() && tries < 50; tries++) await sleep(100);
  return isCalled() === Boolean(expected.callback) ? undefined : `onCallback was ${isCalled() ? "" : "not "}called`;
}

/** Tests one app. Its errors are reported, and the next app is tested. */
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
      await start(app, server, async (origin, output) => {
        for (const path of each.paths) await sendFaxes(name, createFaxProvider, origin, path, output);
      });
    }
  } catch (error) {
    report(name, error.message);
  }
}

function interrupt(code) {
  for (const child of running) child.kill("SIGKILL");
  if (temporary) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}
process.once("SIGINT", () => interrupt(130));
process.once("SIGTERM", () => interrupt(143));

try {
  temporary = await mkdtemp(join(tmpdir(), "twiml-fax-frameworks-"));
  const tarball = await pack();
  for (const each of APPS) await tryApp(each, tarball);
} finally {
  if (temporary) await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
}
console.log(failures === 0 ? "\nall passed" : `\n${failures} failed`);
if (failures > 0) process.exitCode = 1;
