/** What ships: the packed tarball, installed into an empty project. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
/** `npm run test:types` tries more: what tests/types/package.json names, which is not in `npm ci`. */
const allTypes = process.env.ALL_TYPES === "1";
const compilers = ["typescript-5.0", "typescript", "typescript-7.0"];
if (allTypes) compilers.push("typescript-5.4", "typescript-6.0");
const require = createRequire(join(root, "tests/types/package.json"));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const run = (command: string, args: string[], cwd: string) => {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  }
};
/** On Windows npm is a .cmd, which cannot be spawned without a shell; Node's own installation has it beside node. */
const npmCli = join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js");
const npm = (args: string[], cwd: string) =>
  process.platform === "win32" ? run(process.execPath, [npmCli, ...args], cwd) : run("npm", args, cwd);
const node = (code: string, type: "module" | "commonjs") =>
  run(process.execPath, [`--input-type=${type}`, "--eval", code], project).trim();

let folder: string;
let tarball: string;
let project: string;

beforeAll(() => {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("There is no dist/: npm run build");
  folder = mkdtempSync(join(tmpdir(), "twiml-fax-package-"));
  const [packed] = JSON.parse(npm(["pack", "--ignore-scripts", "--json", "--pack-destination", folder], root));
  tarball = join(folder, packed.filename);
  project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "name": "empty", "private": true }');
  npm(["install", "--offline", "--no-audit", "--no-fund", tarball], project);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("package.json", () => {
  it("has no dependencies, and the five devDependencies", () => {
    expect(manifest.dependencies ?? {}).toEqual({});
    expect(Object.keys(manifest.devDependencies).sort()).toEqual([
      "@types/node",
      "fast-xml-parser",
      "tsup",
      "typescript",
      "vitest",
    ]);
  });

  it("is free of side effects, for Node 20 and later, and builds when it is installed from git", () => {
    expect(manifest).toMatchObject({ sideEffects: false, engines: { node: ">=20" }, license: "MIT" });
    // Not prepack: npm runs only this one for a dependency from git.
    expect(manifest.scripts.prepare).toBe("npm run build");
  });
});

describe("the tarball", () => {
  it("holds the build, README, LICENSE and CHANGELOG, and nothing else", () => {
    // A relative name: some tar takes the colon of C: for a host.
    const files = run("tar", ["-tzf", basename(tarball)], folder)
      .trim()
      .split(/\r?\n/)
      .map((name) => name.replace("package/", "").replace(/-[\w-]{8}\./, "."))
      .sort();
    const formats = ["index.cjs", "index.d.cts", "index.d.ts", "index.js"];
    // What the entries share stands in files of its own, in code and in declarations.
    const shared = ["shared.cjs", "shared.js", "verbs.d.cts", "verbs.d.ts"];
    const entries = ["", "webhook/", "testing/"].flatMap((folder) => formats.map((name) => folder + name));
    const dist = [...entries, ...shared, "cli.js"].map((name) => `dist/${name}`);
    expect([...new Set(files)]).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json", ...dist].sort());
  });

  it("passes publint", async () => {
    const { publint } = await import("publint");
    const { messages } = await publint({ pkgDir: join(project, "node_modules/twiml-fax"), strict: true, pack: false });
    // A repository field waits for a public repository.
    expect(messages.filter((message) => !/REPOSITORY|REPO/.test(message.code))).toEqual([]);
  });

  if (allTypes) {
    it("passes attw, node10 included", () => {
      const attw = join(root, "tests/types/node_modules/@arethetypeswrong/cli/dist/index.js");
      const output = run(process.execPath, [attw, tarball, "--format", "json"], folder);
      expect(JSON.parse(output).problems ?? {}).toEqual({});
    });
  }
});

describe("the command line of the package", () => {
  it("is installed, and checks a document", () => {
    writeFileSync(join(project, "bin.xml"), "<Response><Reject/></Response>");
    expect(npm(["exec", "--offline", "--", "twiml-fax", "check", "bin.xml"], project)).toContain("Well: ");
  });
});

describe("the installed package", () => {
  const core = [
    "FAX_ISSUE_CODES",
    "FAX_STATUSES",
    "FaxRequestError",
    "FaxResponse",
    "HTTP_METHODS",
    "MEDIA_TYPES",
    "PAGE_SIZES",
    "TWIML_CONTENT_TYPE",
    "TWIML_ERROR_CODES",
    "TwimlError",
    "parseFax",
    "parseFaxCallback",
    "parseFaxRequest",
    "parseTwiml",
    "receive",
    "reject",
    "toTwiml",
  ];
  const webhook = ["FaxMediaError", "MEDIA_ERROR_CODES", "faxWebhook", "fetchMedia", "signRequest", "verifyRequest"];

  it.each([
    ["twiml-fax", core],
    ["twiml-fax/webhook", webhook],
    ["twiml-fax/testing", ["createFaxProvider"]],
  ])("exports exactly its names from %s, imported and required", (entry, names) => {
    expect(
      JSON.parse(node(`console.log(JSON.stringify(Object.keys(await import("${entry}")).sort()))`, "module")),
    ).toEqual(names);
    expect(
      JSON.parse(node(`console.log(JSON.stringify(Object.keys(require("${entry}")).sort()))`, "commonjs")),
    ).toEqual(names);
  });

  const turn = `
    const webhook = faxWebhook({ authToken: false, onFax: () => new FaxResponse().receive({ action: "/x" }) });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = "FaxSid=1&AccountSid=2&From=&To=3&ApiVersion=v1";
    webhook.handle({ method: "POST", url: "/", headers, body }).then((reply) => console.log(reply.body));`;
  it.each([
    [
      "imported",
      "module",
      `import { FaxResponse } from "twiml-fax"; import { faxWebhook } from "twiml-fax/webhook"; ${turn}`,
    ],
    [
      "required",
      "commonjs",
      `const { FaxResponse } = require("twiml-fax"); const { faxWebhook } = require("twiml-fax/webhook"); ${turn}`,
    ],
    [
      "half imported, half required",
      "module",
      `import { createRequire } from "node:module"; import { FaxResponse } from "twiml-fax"; const ` +
        `{ faxWebhook } = createRequire(import.meta.url)("twiml-fax/webhook"); ${turn}`,
    ],
  ] as const)("answers a fax when %s", (_, type, code) => {
    // --eval has no import.meta.url of a file
    writeFileSync(join(project, type === "module" ? "turn.mjs" : "turn.cjs"), code);
    expect(run(process.execPath, [type === "module" ? "turn.mjs" : "turn.cjs"], project).trim()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/x"/></Response>',
    );
  });

  it("imports nothing in the core, and node:crypto alone in the webhook", () => {
    const imports = (file: string) => {
      const code = readFileSync(join(project, "node_modules/twiml-fax/dist", file), "utf8");
      return [...code.matchAll(/(?:\bfrom|\bimport|\brequire\()\s*["']([^"']+)["']/g)]
        .map((match) => match[1]!)
        .filter((name) => !/^\.\.?\/shared-\w+\.c?js$/.test(name));
    };
    for (const file of ["index.js", "index.cjs"]) expect(new Set(imports(file)), file).toEqual(new Set());
    for (const file of ["webhook/index.js", "webhook/index.cjs"])
      expect([...new Set(imports(file))], file).toEqual(["node:crypto"]);
  });

  const esbuild = createRequire(require.resolve("tsup"))("esbuild");
  const bundle = (code: string, format = "esm") => {
    const options = {
      stdin: { contents: code, resolveDir: project },
      bundle: true,
      minify: true,
      write: false,
      format,
      platform: "node",
      target: "node20",
      globalName: "fax",
    };
    return esbuild.buildSync(options).outputFiles[0].text as string;
  };

  it("runs its core where there is nothing but ECMAScript, URL, URLSearchParams and TextEncoder", () => {
    const code = bundle(
      'import * as all from "twiml-fax"; globalThis.out = all.toTwiml(all.receive({ action: ' +
        '"https://example.com/é" })) + all.parseFaxRequest("FaxSid=1&AccountSid=%32&From=%zz&To=3' +
        '&ApiVersion=v1").from;',
      "iife",
    );
    const context = { URL, URLSearchParams, TextEncoder, out: "" };
    runInNewContext(code, context);
    expect(context.out).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="https://example.com/é"/></Response>%zz',
    );
  });

  it.each([
    ["FaxResponse alone", 'export { FaxResponse } from "twiml-fax"', 3420],
    ["the parsers alone", 'export { parseFax, parseFaxRequest, parseFaxCallback } from "twiml-fax"', 3915],
    ["the core", 'export * from "twiml-fax"', 8545],
    ["both entries", 'export * from "twiml-fax"; export * from "twiml-fax/webhook"', 19780],
  ])("bundles %s within its budget", (name, code, budget) => {
    // Who does not read documents does not pay for their reader.
    if (!code.includes("*")) expect(bundle(code)).not.toContain("CDATA");
    const size = gzipSync(bundle(code), { level: 9 }).length;
    console.log(`${name}: ${size} bytes gzipped, minified (budget ${budget})`);
    expect(size).toBeLessThanOrEqual(budget);
  });
});

describe("the declarations", () => {
  const base = { strict: true, noEmit: true, target: "ES2022", lib: ["ES2022"], types: [], skipLibCheck: false };
  const nodeNext = { ...base, module: "NodeNext", moduleResolution: "NodeNext", exactOptionalPropertyTypes: true };
  const dom = { types: ["node"], lib: ["ES2022", "DOM", "DOM.Iterable"], skipLibCheck: true };
  const modules = [".mts", ".cts"];
  /** NodeNext reads both kinds of declarations, the others one of them. */
  const rows: Record<string, { files: string[]; endings: string[]; options: object }> = {
    alone: { files: ["consumer"], endings: modules, options: nodeNext },
    "alone-undefined": {
      files: ["consumer"],
      endings: modules,
      options: { ...nodeNext, exactOptionalPropertyTypes: false },
    },
    "alone-bundler": {
      files: ["consumer"],
      endings: [".ts"],
      options: { ...nodeNext, module: "ESNext", moduleResolution: "bundler" },
    },
    "alone-node10": {
      files: ["consumer"],
      endings: [".ts"],
      options: { ...nodeNext, module: "CommonJS", moduleResolution: "node10" },
    },
    node: { files: ["consumer", "platform"], endings: modules, options: { ...nodeNext, types: ["node"] } },
    "node-undefined": {
      files: ["consumer", "platform"],
      endings: modules,
      options: { ...nodeNext, types: ["node"], exactOptionalPropertyTypes: false },
    },
    dom: { files: ["consumer", "platform"], endings: modules, options: { ...nodeNext, ...dom } },
    "dom-undefined": {
      files: ["consumer", "platform"],
      endings: modules,
      options: { ...nodeNext, ...dom, exactOptionalPropertyTypes: false },
    },
  };

  beforeAll(() => {
    mkdirSync(join(project, "node_modules/@types"));
    for (const name of ["@types/node", "undici-types"])
      symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name), "junction");
  });

  /** Every row as a project of one process. */
  const compile = (compiler: string, names: string[]) => {
    const home = mkdtempSync(join(project, "types-"));
    for (const name of names) {
      const { files, endings, options } = rows[name]!;
      mkdirSync(join(home, name));
      for (const file of files)
        for (const ending of endings) cpSync(join(import.meta.dirname, `${file}.ts`), join(home, name, file + ending));
      const config = { compilerOptions: options, include: ["*"] };
      writeFileSync(join(home, name, "tsconfig.json"), JSON.stringify(config));
    }
    const tsc = join(dirname(require.resolve(`${compiler}/package.json`)), "bin/tsc");
    return run(process.execPath, [tsc, "--build", ...names], home);
  };

  it.each(compilers)("compile alone, with Node's types and with the DOM's under %s", (compiler) => {
    // TypeScript 6 and 7 no longer know node10.
    const names = Object.keys(rows).filter((name) => name !== "alone-node10" || !/[67]/.test(compiler));
    expect(compile(compiler, names)).toBe("");
  });
});
