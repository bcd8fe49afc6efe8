/** The house: what the layout of the source promises, so that a reader can rely on it. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

function filesOf(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((name) => !/node_modules|\.cache/.test(name));
}

const source = filesOf("src");
const code = (name: string) => readFileSync(join(root, name), "utf8");

/** The files of src/ that a file imports. */
function importsOf(name: string): string[] {
  const found = [...code(name).matchAll(/\b(?:from|import)[ (]+"(\.[^"]+)\.js"/g)].map((match) => match[1]!);
  return found.map((path) => relative(root, join(root, dirname(name), `${path}.ts`)).replaceAll("\\", "/"));
}

/** Lines of every function, by name. */
function functionsOf(name: string): [label: string, lines: number][] {
  const tree = ts.createSourceFile(name, code(name), ts.ScriptTarget.ES2022, true);
  const found: [string, number][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const line = (at: number) => tree.getLineAndCharacterOfPosition(at).line;
      const label = `${name}:${line(node.getStart()) + 1}`;
      found.push([label, line(node.getEnd()) - line(node.getStart()) + 1]);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

describe("the house", () => {
  it("has no line of more than 120 characters, here, in the tests and in the examples", () => {
    const long = [...source, ...filesOf("tests"), ...filesOf("docs")].flatMap((name) =>
      code(name)
        .split("\n")
        // A regular expression cannot be broken.
        .flatMap((line, i) => ([...line].length > 120 && !/^ +\/.*\/[a-z]*;$/.test(line) ? [`${name}:${i + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });

  it.each(source)("%s says its purpose first, and has no function of more than 30 lines", (name) => {
    expect(code(name)).toMatch(/^(#!.*\n)?\/\*\* .+/);
    expect(functionsOf(name).filter(([, lines]) => lines > 30)).toEqual([]);
  });

  it("imports one way: core, webhook, testing, and the command line last", () => {
    const rank = (name: string) =>
      ["src/webhook/", "src/testing/", "src/cli.ts"].findIndex((part) => name.startsWith(part));
    const upward = source.flatMap((name) =>
      importsOf(name).flatMap((other) => (rank(other) > rank(name) ? [`${name} imports ${other}`] : [])),
    );
    expect(upward).toEqual([]);
  });

  it("has no imports in a circle", () => {
    const open = new Map(source.map((name) => [name, new Set(importsOf(name))]));
    // Takes away what imports nothing that is left, until nothing more goes.
    for (let before = -1; before !== open.size;) {
      before = open.size;
      for (const [name, imports] of open) if (![...imports].some((other) => open.has(other))) open.delete(name);
    }
    expect([...open.keys()]).toEqual([]);
  });
});
