/** The layout of the repository as the documentation describes it: folders, imports, names, lengths, dependencies. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** The folders of src/ that a folder, or a file of src/ itself, may import. */
const ALLOWED_IMPORTS: Record<string, readonly string[]> = {
  shared: [],
  twiml: ["shared"],
  params: ["shared"],
  webhook: ["shared", "twiml", "params"],
  testing: ["shared", "twiml", "params", "webhook"],
  "index.ts": ["shared", "twiml", "params"],
  cli: ["shared", "twiml", "params", "webhook", "testing"],
  "cli.ts": ["cli"],
};

const ROOT_ENTRIES = [
  ".ci",
  ".editorconfig",
  ".gitattributes",
  ".github",
  ".gitignore",
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "docs",
  "package-lock.json",
  "package.json",
  "src",
  "tests",
  "tsconfig.json",
  "tsup.config.ts",
  "vitest.config.ts",
];

const DEV_DEPENDENCIES = ["@types/node", "fast-xml-parser", "tsup", "typescript", "vitest"];

/** Files in the mirrored folders of tests/ that test no single file of src/. */
const NOT_MIRRORED = [
  "tests/testing/examples.test.ts", // the examples of docs/testing.md
  "tests/webhook/media-servers.ts", // shared by the tests of fetchMedia
  "tests/webhook/support.ts", // shared by the tests of the webhook
];

/** The code files in a folder, as paths from the root with `/`. */
function listFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((name) => /\.(ts|mjs|js)$/.test(name) && !/node_modules|\.cache/.test(name));
}

function readText(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

const SOURCE = listFiles("src");
const TEXTS = new Map(SOURCE.map((name) => [name, readText(name)]));
const TREES = new Map(
  [...TEXTS].map(([name, text]) => [name, ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true)]),
);

/** The files of src/ that a file imports, also dynamically or only for their types. */
function listImports(name: string): string[] {
  const paths = ts.preProcessFile(TEXTS.get(name)!).importedFiles.map(({ fileName }) => fileName);
  const relative = paths.filter((path) => path.startsWith("."));
  return relative.map((path) => new URL(path.replace(/\.js$/, ".ts"), `file:///${name}`).pathname.slice(1));
}

/** The folder of src/ in which a file is, or the name of a file of src/ itself. */
function getArea(name: string): string {
  return name.split("/")[1]!;
}

function listNodes(name: string): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(TREES.get(name)!);
  return found;
}

/** The name of a function declaration with a body, or of a variable that holds a function. */
function getFunctionName(node: ts.Node): string | undefined {
  if (ts.isFunctionDeclaration(node) && node.body) return node.name?.text;
  if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || !node.initializer) return undefined;
  const isFunction = ts.isArrowFunction(node.initializer) || ts.isFunctionExpression(node.initializer);
  return isFunction ? node.name.text : undefined;
}

/** The place of a node, and its number of lines. */
function measureNode(name: string, node: ts.Node): { place: string; lines: number } {
  const lineAt = (position: number) => TREES.get(name)!.getLineAndCharacterOfPosition(position).line + 1;
  const start = lineAt(node.getStart());
  return { place: `${name}:${start}`, lines: lineAt(node.getEnd()) - start + 1 };
}

describe("layout: src/", () => {
  it("every file of src/ is in a known folder and states its purpose in a comment first", () => {
    expect(SOURCE.filter((name) => !(getArea(name) in ALLOWED_IMPORTS))).toEqual([]);
    expect(SOURCE.filter((name) => !/^(#!.*\n)?\/\*\* .+/.test(TEXTS.get(name)!))).toEqual([]);
  });

  it("CONTRIBUTING.md lists exactly the files of src/", () => {
    const [, tree] = /relative to `src\/`:\n\n```\n(.*?)```/s.exec(readText(".github/CONTRIBUTING.md"))!;
    const listed = tree!.match(/^\S+/gm)!.map((name) => `src/${name}`);
    expect(listed.sort()).toEqual([...SOURCE].sort());
  });

  it("imports in src/ point one way, from cli.ts to testing/, webhook/, twiml/ or params/, and shared/", () => {
    const wrong = SOURCE.flatMap((name) => {
      const area = getArea(name);
      const isAllowed = (other: string) => getArea(other) === area || ALLOWED_IMPORTS[area]?.includes(getArea(other));
      const others = listImports(name).filter((other) => !isAllowed(other));
      return others.map((other) => `${name} imports ${other}`);
    });
    expect(wrong).toEqual([]);
  });

  it("no file of src/ imports itself through others", () => {
    const left = new Map(SOURCE.map((name) => [name, listImports(name)]));
    // Removes files whose imports are all removed, until no more can be removed. An import cycle remains.
    for (let size = -1; size !== left.size;) {
      size = left.size;
      for (const [name, imports] of left) if (!imports.some((other) => left.has(other))) left.delete(name);
    }
    expect([...left.keys()]).toEqual([]);
  });

  it("no two functions in src/ have the same name", () => {
    const places = new Map<string, string[]>();
    for (const name of SOURCE) {
      for (const node of listNodes(name)) {
        const found = getFunctionName(node);
        if (found) places.set(found, [...(places.get(found) ?? []), measureNode(name, node).place]);
      }
    }
    expect([...places].filter(([, all]) => all.length > 1)).toEqual([]);
  });

  it("no function in src/ has more than 30 lines", () => {
    const long = SOURCE.flatMap((name) => {
      const functions = listNodes(name).filter((node) => ts.isFunctionLike(node) && "body" in node && node.body);
      return functions.map((node) => measureNode(name, node)).filter(({ lines }) => lines > 30);
    });
    expect(long).toEqual([]);
  });
});

describe("layout: repository", () => {
  it("no line of src/, tests/ and docs/examples/ has more than 120 characters", () => {
    const files = [...SOURCE, ...listFiles("tests"), ...listFiles("docs/examples")];
    const long = files.flatMap((name) => {
      const lines = readText(name).split("\n");
      // A regular expression cannot be broken.
      const isLong = (line: string) => [...line].length > 120 && !/^ +\/.*\/[a-z]*;$/.test(line);
      return lines.flatMap((line, i) => (isLong(line) ? [`${name}:${i + 1}`] : []));
    });
    expect(long).toEqual([]);
  });

  it("the root of the repository has exactly the documented entries", () => {
    const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    const files = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\n").filter(Boolean);
    expect([...new Set(files.map((file) => file.split("/")[0]))].sort()).toEqual(ROOT_ENTRIES);
  });

  it("package.json has five devDependencies and no other dependencies", () => {
    const { devDependencies, ...rest } = JSON.parse(readText("package.json")) as Record<string, object>;
    expect(Object.keys(devDependencies!).sort()).toEqual(DEV_DEPENDENCIES);
    expect(Object.keys(rest).filter((name) => /dependenc/i.test(name))).toEqual([]);
  });

  it("every test in tests/{shared,twiml,params,webhook,testing,cli} mirrors a file of src/", () => {
    const folders = ["shared", "twiml", "params", "webhook", "testing", "cli"];
    const files = folders.flatMap((folder) => listFiles(`tests/${folder}`));
    const getSource = (name: string) => name.replace(/^tests/, "src").replace(/\.test(-d)?\.ts$/, ".ts");
    const isMirrored = (name: string) => getSource(name) !== name && existsSync(join(ROOT, getSource(name)));
    expect(files.filter((name) => !isMirrored(name)).sort()).toEqual(NOT_MIRRORED);
  });
});
