/** The packed tarball, installed into an empty project. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as core from "../../src/index.js";

const root = join(import.meta.dirname, "../..");
/** Set by `npm run test:types`, which installs more compilers and attw. */
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
/** On Windows npm is a .cmd file, which needs a shell; the npm of Node's installation is a script. */
const npmCli = join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js");
const npm = (args: string[], cwd: string) =>
  process.platform === "win32" ? run(process.execPath, [npmCli, ...args], cwd) : run("npm", args, cwd);
/** The output of a script in the project. */
const runScript = (name: string, code: string) => {
  writeFileSync(join(project, name), code);
  return run(process.execPath, [name], project).trim();
};

let folder: string;
let tarball: string;
let project: string;

beforeAll(() => {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/ is missing. Run npm run build.");
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
  it("package.json has no dependencies and five devDependencies", () => {
    expect(manifest.dependencies ?? {}).toEqual({});
    expect(Object.keys(manifest.devDependencies).sort()).toEqual([
      "@types/node",
      "fast-xml-parser",
      "tsup",
      "typescript",
      "vitest",
    ]);
  });

  it("package.json has no side effects, supports Node 20 and later, and builds when installed from git", () => {
    expect(manifest).toMatchObject({ sideEffects: false, engines: { node: ">=20" }, license: "MIT" });
    // npm runs prepare, not prepack, for a dependency from git.
    expect(manifest.scripts.prepare).toBe("npm run build");
  });

  it("package.json has no script that npm warns about when the package is installed from a registry", () => {
    expect(manifest.scripts).not.toHaveProperty("preinstall");
    expect(manifest.scripts).not.toHaveProperty("install");
    expect(manifest.scripts).not.toHaveProperty("postinstall");
  });

  it("package.json has the description with which the README begins", () => {
    const [, description] = readFileSync(join(root, "README.md"), "utf8").split("\n\n");
    expect(manifest.description).toBe(description);
  });

  it("package.json maps both subpaths for Parcel, which reads exports only with the option packageExports", () => {
    const target = (entry: string) => manifest.exports[entry].import.default;
    expect(manifest.alias).toEqual({ "./webhook": target("./webhook"), "./testing": target("./testing") });
  });
});

describe("the tarball", () => {
  it("the tarball contains only package.json, the build, README, LICENSE and CHANGELOG", () => {
    // A relative name: some versions of tar read C: as a host name.
    const files = run("tar", ["-tzf", basename(tarball)], folder)
      .trim()
      .split(/\r?\n/)
      .map((name) => name.replace("package/", "").replace(/-[\w-]{8}\./, "."))
      .sort();
    const formats = ["index.cjs", "index.d.cts", "index.d.ts", "index.js"];
    // Code and declarations that the entries share.
    const shared = ["shared.cjs", "shared.js", "verbs.d.cts", "verbs.d.ts"];
    const entries = ["", "webhook/", "testing/"].flatMap((folder) => formats.map((name) => folder + name));
    const dist = [...entries, ...shared, "cli.js"].map((name) => `dist/${name}`);
    expect([...new Set(files)]).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json", ...dist].sort());
  });

  it("the tarball passes publint", async () => {
    const { publint } = await import("publint");
    const { messages } = await publint({ pkgDir: join(project, "node_modules/twiml-fax"), strict: true, pack: false });
    // There is no public repository yet.
    expect(messages.filter((message) => !/REPOSITORY|REPO/.test(message.code))).toEqual([]);
  });

  if (allTypes) {
    it("the tarball passes attw, including node10", () => {
      const attw = join(root, "tests/types/node_modules/@arethetypeswrong/cli/dist/index.js");
      const output = run(process.execPath, [attw, tarball, "--format", "json"], folder);
      expect(JSON.parse(output).problems ?? {}).toEqual({});
    });
  }
});

describe("the installed package", () => {
  it("the installed command twiml-fax checks a document", () => {
    const check = (xml: string) => {
      writeFileSync(join(project, "bin.xml"), xml);
      return npm(["exec", "--offline", "--", "twiml-fax", "check", "bin.xml"], project);
    };
    expect(check("<Response><Reject/></Response>")).toContain("bin.xml: OK");
    expect(() => check("<Response><reject/></Response>")).toThrow("12200");
  });

  const WEBHOOK = "FaxMediaError MEDIA_ERROR_CODES deduplicate faxWebhook fetchMedia signRequest verifyRequest".split(
    " ",
  );
  it.each([
    ["twiml-fax", Object.keys(core).sort()],
    ["twiml-fax/webhook", WEBHOOK],
    ["twiml-fax/testing", ["createFaxProvider"]],
  ])("%s exports exactly the documented names, imported and required", (entry, names) => {
    const print = (load: string) => `console.log(Object.keys(${load}("${entry}")).sort().join())`;
    expect(runScript("names.mjs", print("await import"))).toBe(names.join());
    expect(runScript("names.cjs", print("require"))).toBe(names.join());
  });

  const handle = `
    const webhook = faxWebhook({ authToken: false, onFax: () => new FaxResponse().receive({ action: "/x" }) });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = "FaxSid=1&AccountSid=2&From=&To=3&ApiVersion=v1";
    webhook.handle({ method: "POST", url: "/", headers, body }).then((reply) => console.log(reply.body));`;
  const imported = 'import { FaxResponse } from "twiml-fax";';
  const defineRequire = 'const require = (await import("node:module")).createRequire(import.meta.url);';
  const required = 'const { faxWebhook } = require("twiml-fax/webhook");';
  it.each([
    ["imported", "mjs", `${imported} import { faxWebhook } from "twiml-fax/webhook";`],
    ["required", "cjs", `const { FaxResponse } = require("twiml-fax"); ${required}`],
    ["imported and required in one process", "mjs", `${imported} ${defineRequire} ${required}`],
  ])("the installed package replies to a fax when %s", (_, extension, head) => {
    expect(runScript(`handle.${extension}`, head + handle)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/x"/></Response>',
    );
  });

  it.each([
    ["nothing", "index.js", []],
    ["nothing", "index.cjs", []],
    ["node:crypto", "webhook/index.js", ["node:crypto"]],
    ["node:crypto", "webhook/index.cjs", ["node:crypto"]],
  ])("imports %s in dist/%s, besides shared files", (_, file, expected) => {
    const code = readFileSync(join(project, "node_modules/twiml-fax/dist", file), "utf8");
    const names = [...code.matchAll(/(?:\bfrom|\bimport|\brequire\()\s*["']([^"']+)["']/g)].map((match) => match[1]!);
    const external = names.filter((name) => !/^\.\.?\/shared-\w+\.c?js$/.test(name));
    expect([...new Set(external)]).toEqual(expected);
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

  it("the core needs only ECMAScript, URL, URLSearchParams and TextEncoder", () => {
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

  // The budgets are the present sizes. The goals are 3300 for FaxResponse alone, 8500 for the core and 20,000 for both.
  it.each([
    ["FaxResponse alone", 'export { FaxResponse } from "twiml-fax"', 3480],
    ["the parsers alone", 'export { parseFax, parseFaxRequest, parseFaxCallback } from "twiml-fax"', 4240],
    ["the core", 'export * from "twiml-fax"', 8930],
    ["both entries", 'export * from "twiml-fax"; export * from "twiml-fax/webhook"', 22250],
  ])("bundles %s within its size budget", (name, code, budget) => {
    // The document reader is tree-shaken if it is not imported.
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
  const loose = { exactOptionalPropertyTypes: false };
  const node = { ...nodeNext, types: ["node"] };
  const withDom = { ...nodeNext, ...dom };
  const bundler = { ...nodeNext, module: "ESNext", moduleResolution: "bundler" };
  const node10 = { ...nodeNext, module: "CommonJS", moduleResolution: "node10" };
  /** NodeNext reads the declarations of both module systems, the others one of them. */
  const rows: Record<string, { files: string[]; endings: string[]; options: object }> = {
    alone: { files: ["consumer"], endings: modules, options: nodeNext },
    "alone-undefined": { files: ["consumer"], endings: modules, options: { ...nodeNext, ...loose } },
    "alone-bundler": { files: ["consumer"], endings: [".ts"], options: bundler },
    "alone-node10": { files: ["consumer"], endings: [".ts"], options: node10 },
    node: { files: ["consumer", "platform"], endings: modules, options: node },
    "node-undefined": { files: ["consumer", "platform"], endings: modules, options: { ...node, ...loose } },
    dom: { files: ["consumer", "platform"], endings: modules, options: withDom },
    "dom-undefined": { files: ["consumer", "platform"], endings: modules, options: { ...withDom, ...loose } },
  };

  beforeAll(() => {
    mkdirSync(join(project, "node_modules/@types"));
    for (const name of ["@types/node", "undici-types"])
      symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name), "junction");
  });

  /** Compiles every row as a project, in one process. */
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

  it.each(compilers)("the declarations compile in %s, alone, with Node's types and with the DOM's", (compiler) => {
    // TypeScript 6 and 7 have no moduleResolution node10.
    const names = Object.keys(rows).filter((name) => name !== "alone-node10" || !/[67]/.test(compiler));
    expect(compile(compiler, names)).toBe("");
  });
});
