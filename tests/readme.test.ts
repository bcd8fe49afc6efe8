import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAX_ISSUE_CODES, TWIML_ERROR_CODES } from "../src/errors.js";
import { VERBS } from "../src/verbs.js";
import { MEDIA_ERROR_CODES } from "../src/webhook/media.js";
import { REFUSALS } from "../src/webhook/refusal.js";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** Every ```ts block, with the name of the file that it shows, if it says so in the comment above. */
const blocks = [...readme.matchAll(/(?:<!-- (\S+) -->\n)?```ts\n([\s\S]*?)```/g)].map(([, file, code], i) => ({
  name: file ?? `block ${i + 1}`,
  file,
  code: code!,
}));
const runnable = blocks.filter((block) => block.file === undefined);
const shown = blocks.filter((block) => block.file !== undefined);

let project: string;
beforeAll(() => {
  expect(existsSync(join(root, "dist/index.js")), "run npm run build first").toBe(true);
  project = mkdtempSync(join(tmpdir(), "twiml-fax-readme-"));
  mkdirSync(join(project, "node_modules"));
  // Junctions, which need no rights on Windows.
  symlinkSync(root, join(project, "node_modules/twiml-fax"), "junction");
  symlinkSync(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "junction");
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  runnable.forEach(({ code }, i) => writeFileSync(join(project, `${i}.ts`), code));
  const options = {
    strict: true,
    target: "ES2022",
    module: "NodeNext",
    types: ["node"],
    skipLibCheck: true,
    moduleDetection: "force",
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
}, 60_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("README", () => {
  it("has examples that compile under strict", { timeout: 60_000 }, () => {
    try {
      execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], {
        encoding: "utf8",
      });
    } catch (error) {
      expect.fail((error as { stdout: string }).stdout);
    }
    expect(runnable.length).toBeGreaterThan(8);
  });

  it.each(runnable.map((block, i) => [i, block.code.match(/.*\n.*\n.*\n(.*)/)?.[1], block.code] as const))(
    "prints what example %i says",
    (i, _, code) => {
      const expected = [...code.matchAll(/^\/\/ => (.*)$/gm)].map((match) => match[1] + "\n").join("");
      expect(execFileSync(process.execPath, [join(project, `${i}.js`)], { encoding: "utf8", cwd: project })).toBe(
        expected,
      );
    },
  );

  it.each(shown.map((block) => [block.name, block.code]))("shows %s as it is", (name, code) => {
    expect(code).toBe(readFileSync(join(root, name), "utf8"));
  });

  it("lists every attribute with its values", () => {
    for (const [name, rule] of Object.entries(VERBS.Receive)) {
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect(row, name).toBeDefined();
      if (rule !== "url") for (const value of rule) expect(row).toContain("`" + JSON.stringify(value) + "`");
    }
  });

  it.each([...TWIML_ERROR_CODES, ...FAX_ISSUE_CODES, ...Object.keys(REFUSALS), ...MEDIA_ERROR_CODES])(
    "lists the code %s",
    (code) => {
      expect(readme.includes(`\`${code}\``)).toBe(true);
    },
  );

  it("names only scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(name);
  });
});
