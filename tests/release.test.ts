/** The release: the script that checks it, and the workflows. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");
const manifest = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

const folder = mkdtempSync(join(tmpdir(), "twiml-fax-release-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The exit code and the problems that check-release.mjs reports for a release of version 1.2.3. */
function checkRelease({ repository = "https://github.com/fax/twiml-fax", date = "2026-11-23", tag = "v1.2.3" }) {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "1.2.3", repository }));
  writeFileSync(join(folder, "CHANGELOG.md"), `# Changelog\r\n\r\n## [Unreleased]\r\n\r\n## [1.2.3] - ${date}\r\n`);
  const { status, stderr } = spawnSync(process.execPath, [join(root, ".github/check-release.mjs")], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GITHUB_REF_NAME: tag },
  });
  return { status, stderr };
}

describe("check-release.mjs", () => {
  it("check-release.mjs accepts a release whose tag and changelog section match the version", () => {
    expect(checkRelease({})).toEqual({ status: 0, stderr: "" });
  });

  it.each([
    ["repository", { repository: "" }, /^- package\.json has no "repository"\. .*\n$/],
    ["matching tag", { tag: "v1.2.4" }, /^- The tag \(GITHUB_REF_NAME\) is v1\.2\.4, not v1\.2\.3\. .*\n$/],
    ["date in the changelog", { date: "soon" }, /^- CHANGELOG\.md has no dated section for 1\.2\.3\. .*\n$/],
  ])("check-release.mjs refuses a release without a %s", (_, release, message) => {
    expect(checkRelease(release)).toEqual({ status: 1, stderr: expect.stringMatching(message) });
  });

  it("npm publish runs check-release.mjs first", () => {
    expect(manifest.scripts["prepublishOnly"]).toBe("node .github/check-release.mjs");
  });
});

describe("the workflows", () => {
  const files = readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`);
  const code = files.map(read).join("\n");

  it("workflows pin every action to one commit and persist no credentials", () => {
    const uses = [...code.matchAll(/uses: (.*)/g)].map((match) => match[1]!);
    for (const each of uses) expect(each).toMatch(/^actions\/(checkout|setup-node)@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(new Set(uses).size).toBe(2);
    const checkouts = uses.filter((each) => each.startsWith("actions/checkout@")).length;
    expect(code.match(/checkout@.*\n {8}with:\n {10}persist-credentials: false\n/g)).toHaveLength(checkouts);
  });

  it("workflows have only read permission, except for the identity token of the publish job", () => {
    for (const name of files) expect(read(name)).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(code.match(/: write$/gm)).toEqual([": write"]);
    const publish = read(".github/workflows/release.yml").split(/^ {2}publish:\n/m)[1];
    expect(publish).toMatch(/needs: gate\n[\s\S]*id-token: write\n[\s\S]*check-release\.mjs\n[\s\S]*npm publish\n/);
  });

  it.each([...files, ".github/CONTRIBUTING.md", ".github/SECURITY.md"])("%s names only scripts that exist", (name) => {
    const listed = /script: \[(.*)\]/.exec(read(name))?.[1]?.split(", ") ?? [];
    const named = [...read(name).matchAll(/npm run ([a-z][a-z:]*)/g)].map((match) => match[1]!);
    for (const each of [...named, ...listed]) expect(Object.keys(manifest.scripts)).toContain(each.replaceAll('"', ""));
  });
});
