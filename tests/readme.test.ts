/** README and docs: every example compiles and runs, every list is complete, every link has a target. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAX_ISSUE_CODES, MEDIA_ERROR_CODES, TWIML_ERROR_CODES } from "../src/shared/errors.js";
import { VERBS } from "../src/twiml/verbs.js";
import { REFUSALS } from "../src/webhook/refusal.js";
import { freePort } from "./free-port.mjs";

const root = join(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const pages = ["README.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"))]
  .map((name) => (name === "README.md" ? name : `docs/${name}`))
  .map((name) => ({ name, text: read(name) }));

/** Every block of code, and the files of docs/examples/ that the comment above it names. */
const blocks = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/(?:<!-- (part of )?(\S+(?:, \S+)*) -->\n)?```[jt]s\n([\s\S]*?)```/g)].map(
    ([, part, files, code], i) => ({ name: `${name}, block ${i + 1}`, part, files: files?.split(", "), code: code! }),
  ),
);
const runnable = blocks.filter(({ files }) => files === undefined);
const shown = blocks.filter(({ files }) => files !== undefined);

let project: string;
beforeAll(() => {
  expect(existsSync(join(root, "dist/index.js")), "run npm run build first").toBe(true);
  project = mkdtempSync(join(tmpdir(), "twiml-fax-readme-"));
  symlinkSync(join(root, "node_modules"), join(project, "node_modules"), "junction");
  cpSync(join(root, "docs/examples"), join(project, "examples"), { recursive: true });
  mkdirSync(join(project, "blocks"));
  runnable.forEach(({ code }, i) => writeFileSync(join(project, `blocks/${i}.ts`), code));
  writeFileSync(join(project, "globals.d.ts"), PLATFORMS);
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  const options = {
    ...{ strict: true, target: "ES2022", module: "NodeNext", types: ["node"], skipLibCheck: true, allowJs: true },
    ...{ checkJs: true, moduleDetection: "force", outDir: "out", rootDir: ".", paths: getPackagePaths() },
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: options, exclude: ["out"] }));
  try {
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], {
      encoding: "utf8",
    });
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout, { cause: error });
  }
  mkdirSync(join(project, "out/node_modules"));
  symlinkSync(root, join(project, "out/node_modules/twiml-fax"), "junction");
}, 120_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Globals and modules that exist only on their platform. */
const PLATFORMS = `declare const Bun: any, Deno: any;
declare module "cloudflare:workers" {
  export const env: any;
}
declare module "@azure/functions" {
  export const app: any;
}
declare module "@google-cloud/functions-framework" {
  export const http: (name: string, handler: (req: any, res: any) => void) => void;
}
declare module "nodemailer" {
  const nodemailer: any;
  export default nodemailer;
}
declare module "undici" {
  export const EnvHttpProxyAgent: any, fetch: any;
}
declare module "@aws-sdk/client-s3" {
  export const PutObjectCommand: any, S3Client: any;
}
declare module "node:sqlite" {
  export const DatabaseSync: any;
}
declare module "pg" {
  const pg: any;
  export default pg;
}
declare module "redis" {
  export const createClient: any;
}
`;

/** The paths of the built declarations. */
function getPackagePaths(): Record<string, string[]> {
  const entries = { "twiml-fax": "index", "twiml-fax/webhook": "webhook/index", "twiml-fax/testing": "testing/index" };
  return Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [join(root, `dist/${path}.d.ts`)]]));
}

describe("the examples", () => {
  it("are found: those of the README, and at least ten blocks in docs/", () => {
    const files = shown.filter(({ name }) => name.startsWith("README")).flatMap(({ files }) => files);
    expect(files).toEqual(["docs/examples/server.mjs", "docs/examples/fax.test.mjs"]);
    expect(runnable.length).toBeGreaterThan(9);
  });

  it.each(runnable.map(({ name, code }, i) => [name, i, code] as const))(
    "the example in %s prints the output that it states",
    (_, i, code) => {
      const expected = [...code.matchAll(/^\/\/ => (.*)$/gm)].map((match) => match[1] + "\n").join("");
      const env = { ...process.env, FAX_AUTH_TOKEN: "a-token" };
      const file = join(project, `out/blocks/${i}.js`);
      expect(execFileSync(process.execPath, [file], { encoding: "utf8", cwd: join(project, "out"), env })).toBe(
        expected,
      );
    },
  );

  it.each(shown)("$name shows the exact content of the example files", ({ part, files, code }) => {
    const [file, ...more] = files!;
    if (part === undefined) return expect(code).toBe(read(file!));
    if (more.length === 0) return expect(read(file!)).toContain(code);
    expect(code.trim().split("\n").length).toBe(files!.length);
    code
      .trim()
      .split("\n")
      .forEach((line, i) => expect(read(files![i]!)).toContain(line));
  });

  it("server.mjs and fax.mjs have the same webhook", () => {
    const server = read("docs/examples/server.mjs")
      .replace('import { createServer } from "node:http";\n', "")
      .replace(', PORT = "3000" }', " }")
      .replace(/^const \{ HOST .*\n/m, "")
      .replace("const webhook", "export const webhook");
    expect(server.split("\nconst server")[0]).toBe(read("docs/examples/fax.mjs"));
  });

  it.each([
    ["vitest", ["node_modules/vitest/vitest.mjs", "run", "--root"]],
    ["node:test", ["--test"]],
  ])("fax.test.mjs passes with %s", (framework, args) => {
    const folder = join(project, `out/${framework.replace(":", "-")}`);
    mkdirSync(folder);
    const code = read("docs/examples/fax.test.mjs").replace('from "vitest"', `from "${framework}"`);
    writeFileSync(join(folder, "fax.test.mjs"), code);
    const [first, ...more] = args as [string, ...string[]];
    const command =
      framework === "vitest" ? [join(root, first), ...more, folder] : [first, join(folder, "fax.test.mjs")];
    const output = execFileSync(process.execPath, command, {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    expect(output).toMatch(framework === "vitest" ? /Tests +2 passed/ : /pass 2\n/);
  });
});

describe("the README", () => {
  const readme = pages[0]!.text;

  it("README.md has at most 280 lines", () => {
    expect(readme.split("\n").length - 1).toBeLessThanOrEqual(280);
  });

  it("mounts the webhook in each framework with code of the linked file", () => {
    const rows = [...readme.matchAll(/^\| [^|]+ \| `(.+)` \| \[[^\]]+\]\(([^)]+)\)/gm)];
    expect(rows.length).toBeGreaterThan(10);
    for (const [, code, file] of rows) expect(read(file!), file).toContain(code!);
  });

  it("shows the output of twiml-fax send", async () => {
    const shown = /<!-- output of twiml-fax send -->\n```text\n([\s\S]*?)```/.exec(readme)![1]!;
    expect(normalizeOutput(await sendFax())).toBe(normalizeOutput(shown));
  });

  it.each(["README.md", "docs/reference.md"])("%s lists every attribute with its values", (name) => {
    for (const [attribute, rule] of Object.entries(VERBS.Receive)) {
      const row = read(name)
        .split("\n")
        .find((line) => line.startsWith(`| \`${attribute}\``));
      expect(row, attribute).toBeDefined();
      if (rule !== "url") for (const value of rule) expect(row).toContain("`" + JSON.stringify(value) + "`");
    }
  });
});

describe("the commands for a fresh clone", () => {
  const section = /^## From a clone\n+```sh\n([\s\S]*?)```/m.exec(pages[0]!.text);
  const commands = section![1]!.trim().split("\n");
  const gate = read(".ci/run")
    .split("\n")
    .map((line) => line.replace(/^\((.*)\)$/, "$1"));

  it("the README has the commands for the demo and the tests", () => {
    expect(commands).toEqual(["npm ci && npm run demo", "npm ci && npm test"]);
  });

  it(".ci/run runs the exact test command of the README, then the demo", () => {
    expect(gate).toContain("npm ci && npm test");
    expect(gate.indexOf("npm run demo")).toBeGreaterThan(gate.indexOf("npm ci && npm test"));
  });

  it("package.json has the scripts demo and test", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    expect(scripts).toMatchObject({ demo: "node tests/demo.js", test: "npm run types && npm run build && vitest run" });
  });
});

describe("the docs", () => {
  it("have tables that match the doc comments; npm run docs writes them", async () => {
    const { PAGES, updatePages } = (await import("./docs/tables.mjs" as string)) as {
      readonly PAGES: string[];
      updatePages(): string[];
    };
    expect(updatePages()).toEqual(PAGES.map(read));
    expect(PAGES.flatMap((page) => read(page).match(/<!-- table: /g) ?? []).length).toBe(12);
  });

  it("servers.md mounts the webhook with code of the linked files", () => {
    const rows = [...read("docs/servers.md").matchAll(/^\| [^|]+ \| \[[^\]]+\]\(([^)]+)\) \| (`.*) \|$/gm)];
    expect(rows.length).toBe(12);
    for (const [, file, code] of rows) {
      for (const [, part] of code!.matchAll(/`([^`]+)`/g)) expect(read(`docs/${file}`), file).toContain(part!);
    }
  });

  it("reference.md lists every code", () => {
    const reference = read("docs/reference.md");
    const codes = [...TWIML_ERROR_CODES, ...FAX_ISSUE_CODES, ...Object.keys(REFUSALS), ...MEDIA_ERROR_CODES];
    expect(codes.filter((code) => !reference.includes(`\`${code}\``))).toEqual([]);
  });

  it.each(pages)("$name names only scripts, files and anchors that exist", ({ name, text }) => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: object };
    for (const [, script] of text.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(script);
    for (const [, path = "", anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const target = join(dirname(name), path);
      if (path !== "") expect(existsSync(join(root, target)), path).toBe(true);
      if (anchor !== undefined)
        expect(createAnchors(path === "" ? text : read(target)), `${path}#${anchor}`).toContain(anchor);
    }
  });
});

/** The output of the command in the README, with the first example as the server. */
async function sendFax(): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), "twiml-fax-send-"));
  const [port, pagesPort] = [String(await freePort()), String(await freePort())];
  const env = { ...process.env, PORT: port, FAX_AUTH_TOKEN: "PSK_secret", MEDIA_HOSTS: `127.0.0.1:${pagesPort}` };
  const server = spawn(process.execPath, [join(root, "docs/examples/server.mjs")], { cwd, env, stdio: "pipe" });
  try {
    await once(server.stdout, "data");
    const url = `http://localhost:${port}/fax`;
    const args = ["send", url, "--token", "PSK_secret", "--pages-port", pagesPort];
    return (await promisify(execFile)(process.execPath, [join(root, "dist/cli.js"), ...args])).stdout;
  } finally {
    server.kill("SIGKILL");
    await once(server, "exit");
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** Replaces what differs between runs: times, ports, SIDs, and the spaces that align the columns. */
function normalizeOutput(text: string): string {
  return text
    .replace(/\d+\.\d\d s/g, "0.00 s")
    .replace(/:\d{4,5}\//g, ":0/")
    .replace(/[0-9a-f]{8}(…|-[0-9a-f-]{27})/g, "SID")
    .replace(/ {2,}/g, "  ")
    .trim();
}

/** The anchors that GitHub creates for headings. */
function createAnchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );
}
