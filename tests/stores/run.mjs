/**
 * Tests the stores of `deduplicate` against real databases:
 *
 *   npm run test:stores [-- postgres redis sqlite --faxes 10000]
 *
 * Two processes of docs/examples/server.mjs share a store of docs/examples/. Each fax has three callbacks at the same
 * time, which are sent again until they get a 200. Midway, one process is killed (SIGKILL) and started again. At the
 * end every fax is on disk, `saved` was printed once per fax (after the kill at most once more), and no claim remains.
 *
 * Needs the build, and Debian's packages redis-server and postgresql, which are installed if they are missing. SQLite
 * needs Node 22.13 or later, which has node:sqlite; in Node 20 it is left out.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { Agent, createServer, request } from "node:http";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { signRequest } from "../../dist/webhook/index.js";
import { freePort } from "../free-port.mjs";
import { installPinned } from "../pinned.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const TOKEN = "PSK_a-test-key";
const CLAIM_MS = 10_000;
const COPIES = 3;
const CONCURRENT_FAXES = 32;

const { values, positionals } = parseArgs({
  options: { faxes: { type: "string", default: "10000" } },
  allowPositionals: true,
});
const FAXES = Number(values.faxes);
if (!Number.isSafeInteger(FAXES) || FAXES < 10) throw new Error("--faxes must be an integer of at least 10.");

const work = mkdtempSync(join(tmpdir(), "twiml-fax-stores-"));
const children = new Set();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const STORES = { postgres: startPostgres, redis: startRedis, sqlite: startSqlite };
const available = Object.keys(STORES).filter((name) => name !== "sqlite" || isBuiltin("node:sqlite"));
const names = positionals.length > 0 ? positionals : available;
for (const name of names) if (!Object.hasOwn(STORES, name)) throw new Error(`Unknown store: ${name}`);

installPinned(here);
for (const name of names) await test(name);
process.exit();

async function test(name) {
  const database = await STORES[name]();
  const project = createProject(name);
  const storage = createServer((req, res) => void res.end(getPages(req.url.slice(1)))).listen(0, "127.0.0.1");
  await once(storage, "listening");
  const mediaHost = `127.0.0.1:${storage.address().port}`;
  const env = { ...process.env, ...database.env, FAX_AUTH_TOKEN: TOKEN, MEDIA_HOSTS: mediaHost };
  Object.assign(env, { CLAIM_MS: String(CLAIM_MS) });
  const saved = [];
  const start = (port) => startServer(project, { ...env, PORT: String(port) }, saved);

  const began = performance.now();
  const ports = [await freePort(), await freePort()];
  const servers = await Promise.all(ports.map(start));
  let killed = 0;
  const onFax = async (count) => {
    if (count !== Math.floor(FAXES / 2)) return;
    killed = saved.length;
    servers[0].kill("SIGKILL");
    await setTimeout(200);
    servers[0] = await start(ports[0]);
  };
  const statistics = await sendAll(ports, mediaHost, onFax);
  const claims = await database.countClaims();
  const codes = await Promise.all(servers.map(stop));
  storage.close();
  await database.stop();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  check(name, project, saved, claims, codes);
  console.log(
    `${name}: ok. ${FAXES} faxes, ${statistics.requests} callbacks in ${seconds} s; killed after ${killed} faxes; ` +
      `${statistics.failures} callbacks failed and were sent again; ${saved.length - FAXES} faxes were saved twice.`,
  );
}

/** The first example with a store, in a folder of its own. */
function createProject(name) {
  const project = mkdtempSync(join(work, `${name}-`));
  const example = readFileSync(join(root, "docs/examples/server.mjs"), "utf8");
  const server = example.replace("deduplicate(save)", "deduplicate(save, store)");
  if (server === example) throw new Error("docs/examples/server.mjs has no deduplicate(save).");
  writeFileSync(join(project, "server.mjs"), `import { store } from "./store-${name}.mjs";\n${server}`);
  cpSync(join(root, `docs/examples/store-${name}.mjs`), join(project, `store-${name}.mjs`));
  cpSync(join(here, "node_modules"), join(project, "node_modules"), { recursive: true });
  symlinkSync(root, join(project, "node_modules/twiml-fax"), "junction");
  return project;
}

async function startServer(project, env, saved) {
  const child = spawn(process.execPath, ["server.mjs"], { cwd: project, env, stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => line.startsWith("saved ") && saved.push(line.slice("saved ".length)));
  await new Promise((resolve, reject) => {
    lines.on("line", (line) => line.startsWith("waiting for faxes") && resolve());
    child.once("exit", (code) => reject(new Error(`A server exited with code ${code} before it was ready.`)));
  });
  return child;
}

/** Stops a server as a supervisor does, and returns its exit code. */
async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
  child.kill("SIGTERM");
  const [code, signal] = await once(child, "exit", { signal: AbortSignal.timeout(CLAIM_MS + 10_000) });
  return code ?? signal;
}

/** Sends each fax's callbacks at the same time, some faxes concurrently. */
async function sendAll(ports, mediaHost, onFax) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const statistics = { requests: 0, failures: 0 };
  let next = 0;
  let finished = 0;
  const sendFaxes = async () => {
    while (next < FAXES) {
      const fax = createCallback(next++, mediaHost);
      const copies = Array.from({ length: COPIES }, (_, i) => sendUntilDone(agent, ports, i + next, fax, statistics));
      await Promise.all(copies);
      await onFax(++finished);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_FAXES }, sendFaxes));
  agent.destroy();
  return statistics;
}

function createCallback(i, mediaHost) {
  const faxSid = `FX${String(i).padStart(32, "0")}`;
  return {
    ...{ FaxSid: faxSid, AccountSid: "AC1", From: "+15551230001", To: "+15551230002", ApiVersion: "v1" },
    ...{ FaxStatus: "received", NumPages: "1", MediaUrl: `http://${mediaHost}/${faxSid}` },
  };
}

function getPages(faxSid) {
  return `%PDF-1.4\n% the pages of ${faxSid}\n`;
}

/** Repeats a callback until it gets a 200, at the two servers in alternation. */
async function sendUntilDone(agent, ports, first, params, statistics) {
  const deadline = performance.now() + 6 * CLAIM_MS;
  for (let attempt = 0; ; attempt++) {
    if (performance.now() > deadline) throw new Error(`A callback got no 200 in ${(6 * CLAIM_MS) / 1000} seconds.`);
    statistics.requests++;
    const url = `http://127.0.0.1:${ports[(first + attempt) % ports.length]}/fax`;
    if ((await post(agent, url, params)) === 200) return;
    statistics.failures++;
    await setTimeout(100);
  }
}

/** The status of the response, or the code of the network error. */
function post(agent, url, params) {
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-signalwire-signature": signRequest({ authToken: TOKEN, url, params }),
  };
  return new Promise((resolve) => {
    const options = { method: "POST", agent, headers, timeout: 3 * CLAIM_MS };
    const sent = request(url, options, (response) => {
      response.resume();
      response.once("close", () => resolve(response.statusCode));
    });
    sent.once("error", (error) => resolve(error.code));
    sent.once("timeout", () => sent.destroy());
    sent.end(String(new URLSearchParams(params)));
  });
}

function check(name, project, saved, claims, codes) {
  const problems = [];
  const files = readdirSync(join(project, "faxes")).filter((file) => file.endsWith(".pdf"));
  if (files.length !== FAXES) problems.push(`${files.length} of ${FAXES} faxes are on disk`);
  const wrong = files.filter(
    (file) => readFileSync(join(project, "faxes", file), "utf8") !== getPages(file.slice(0, -4)),
  );
  if (wrong.length > 0) problems.push(`${wrong.length} files have other pages, such as ${wrong[0]}`);
  const counts = new Map();
  for (const file of saved) counts.set(file, (counts.get(file) ?? 0) + 1);
  const often = [...counts.values()].filter((count) => count > 2).length;
  const twice = [...counts.values()].filter((count) => count === 2).length;
  if (often > 0) problems.push(`${often} faxes were saved more than twice`);
  if (twice > CONCURRENT_FAXES) problems.push(`${twice} faxes were saved twice, more than were running at the kill`);
  if (claims !== 0) problems.push(`${claims} claims remain`);
  if (codes.some((code) => code !== 0)) problems.push(`the servers exited with ${codes.join(" and ")} after SIGTERM`);
  if (problems.length > 0) throw new Error(`${name}: ${problems.join("; ")}.`);
}

/** Installs a package of Debian or Ubuntu if `isInstalled` says that it is missing. */
function install(name, isInstalled) {
  if (isInstalled()) return;
  console.error(`Installing ${name} with apt-get (only once).`);
  const options = { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const sudo = userInfo().uid === 0 ? [] : ["sudo"];
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", name],
  ]) {
    const [command, ...rest] = [...sudo, "apt-get", ...args];
    execFileSync(command, rest, options);
  }
}

/** Repeats `attempt` until it succeeds, for at most 30 seconds. */
async function waitFor(attempt) {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await setTimeout(100);
    }
  }
}

function spawnDatabase(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "inherit"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function startRedis() {
  const binary = "/usr/bin/redis-server";
  install("redis-server", () => existsSync(binary));
  const port = await freePort();
  const folder = mkdtempSync(join(work, "redis-data-"));
  const child = spawnDatabase(binary, ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]);
  const url = `redis://127.0.0.1:${port}`;
  const { createClient } = createRequire(import.meta.url)("redis");
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  const countClaims = async () => {
    const keys = await client.keys("*");
    const states = keys.length === 0 ? [] : await client.mGet(keys);
    if (states.length !== FAXES) throw new Error(`Redis has ${states.length} keys, not ${FAXES}.`);
    return states.filter((state) => state !== "done").length;
  };
  const stopDatabase = async () => {
    client.destroy();
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { env: { REDIS_URL: url }, countClaims, stop: stopDatabase };
}

/** The folder of the newest PostgreSQL server, such as /usr/lib/postgresql/15/bin. */
function findPostgres() {
  const base = "/usr/lib/postgresql";
  if (!existsSync(base)) return undefined;
  const versions = readdirSync(base).filter((version) => existsSync(join(base, version, "bin/initdb")));
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest && join(base, newest, "bin");
}

async function startPostgres() {
  install("postgresql", () => findPostgres() !== undefined);
  const bin = findPostgres();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-postgres-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  // PostgreSQL refuses to run as root. Debian's package creates the user postgres.
  const id = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  const user = userInfo().uid === 0 ? { uid: id("-u"), gid: id("-g") } : {};
  if (user.uid !== undefined) execFileSync("chown", ["postgres:", folder]);
  const options = { ...user, cwd: folder };
  const data = join(folder, "data");
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "fax", "-A", "trust"], { ...options, stdio: "ignore" });
  const args = ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder, "-c", "log_min_messages=panic"];
  const child = spawnDatabase(join(bin, "postgres"), args, options);
  const url = `postgres://fax@127.0.0.1:${port}/postgres`;
  const { Client } = createRequire(import.meta.url)("pg");
  const client = await waitFor(async () => {
    const each = new Client({ connectionString: url });
    await each.connect();
    return each;
  });
  const countClaims = async () => {
    const { rows } = await client.query(
      "SELECT count(*)::int AS all, count(claimed_until)::int AS open FROM fax_outcomes",
    );
    if (rows[0].all !== FAXES) throw new Error(`PostgreSQL has ${rows[0].all} rows, not ${FAXES}.`);
    return rows[0].open;
  };
  const stopDatabase = async () => {
    await client.end();
    child.kill("SIGINT");
    await once(child, "exit");
  };
  return { env: { DATABASE_URL: url }, countClaims, stop: stopDatabase };
}

async function startSqlite() {
  const file = join(mkdtempSync(join(work, "sqlite-data-")), "faxes.db");
  const { DatabaseSync } = await import("node:sqlite");
  const countClaims = () => {
    const database = new DatabaseSync(file);
    const row = database.prepare("SELECT count(*) AS faxes, count(claimed_until) AS open FROM fax_outcomes").get();
    database.close();
    if (row.faxes !== FAXES) throw new Error(`SQLite has ${row.faxes} rows, not ${FAXES}.`);
    return row.open;
  };
  return { env: { SQLITE_FILE: file }, countClaims, stop: () => {} };
}
