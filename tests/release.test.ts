/** What guards a release: the script that refuses one, and the workflows that run it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (name: string) => readFileSync(join(root, name), "utf8");

const ADDRESSES = {
  repository: { type: "git", url: "git+https://github.com/fax/twiml-fax.git" },
  homepage: "https://github.com/fax/twiml-fax#readme",
  bugs: "https://github.com/fax/twiml-fax/issues",
};
const CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-23\n\n### Added\n\n- All.\n";

interface Release {
  readonly manifest?: object;
  readonly changelog?: string;
  readonly env?: Record<string, string | undefined>;
}

const folder = mkdtempSync(join(tmpdir(), "twiml-fax-release-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The script's word on a release that is in order but for what is given. */
function check({ manifest, changelog = CHANGELOG, env }: Release) {
  const whole = { name: "twiml-fax", version: "1.2.3", ...ADDRESSES, ...manifest };
  writeFileSync(join(folder, "package.json"), JSON.stringify(whole));
  writeFileSync(join(folder, "CHANGELOG.md"), changelog);
  // Neither what runs this test, nor the workflow around it, is the release's own.
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|GITHUB_|ACTIONS_)/i.test(name));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, ".github/check-release.mjs")], {
    cwd: folder,
    encoding: "utf8",
    env: { ...Object.fromEntries(kept), GITHUB_REF_NAME: "v1.2.3", ...env } as NodeJS.ProcessEnv,
  });
  const refusals = stderr.split("\n").filter((line) => line.startsWith("- "));
  return { status, stdout, stderr, refusals };
}

describe("a release", () => {
  const passing: [what: string, Release][] = [
    ["with its addresses, its tag and its dated section", {}],
    ["from the repository that it names", { env: { GITHUB_REPOSITORY: "fax/twiml-fax" } }],
    ["with addresses as plain texts", { manifest: { repository: "https://github.com/fax/twiml-fax" } }],
    ["that is reported by mail", { manifest: { bugs: { email: "fax@example.com" } } }],
    ["without an Unreleased section", { changelog: "## [1.2.3] - 2026-11-23\n" }],
    ["of a changelog with Windows' line ends", { changelog: CHANGELOG.replaceAll("\n", "\r\n") }],
    [
      "by the first npm that needs no token",
      { env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x", npm_config_user_agent: "npm/11.5.1 node/v24.5.0" } },
    ],
    [
      "by a later npm",
      { env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x", npm_config_user_agent: "npm/12.0.0 node/v26.0.0" } },
    ],
    ["by hand, with an npm that needs a token", { env: { npm_config_user_agent: "npm/10.9.0 node/v22.0.0" } }],
  ];
  it.each(passing)("may go %s", (_, release) => {
    expect(check(release)).toEqual({
      status: 0,
      stdout: "twiml-fax@1.2.3 may be released.\n",
      stderr: "",
      refusals: [],
    });
  });

  const trusted = (agent: string) => ({
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: "https://x", npm_config_user_agent: `npm/${agent} node/v24.0.0` },
  });
  const refused: [what: string, Release, says: string[]][] = [
    ["without a repository", { manifest: { repository: undefined } }, ["`repository`", "provenance", "OWNER/NAME"]],
    ["of an empty repository", { manifest: { repository: { type: "git" } } }, ["`repository`", "provenance"]],
    [
      "without a repository, where it is known",
      { manifest: { repository: undefined }, env: { GITHUB_REPOSITORY: "a/b" } },
      ['"git+https://github.com/a/b.git"'],
    ],
    ["from another repository", { env: { GITHUB_REPOSITORY: "a/b" } }, ["runs in a/b", "provenance", "a/b.git"]],
    ["without a homepage", { manifest: { homepage: undefined } }, ["`homepage`", "Set it to"]],
    ["without an address for bugs", { manifest: { bugs: undefined } }, ["`bugs`", "Set it to"]],
    ["of an empty address for bugs", { manifest: { bugs: {} } }, ["`bugs`", "Set it to"]],
    ["of another tag", { env: { GITHUB_REF_NAME: "v1.2.4" } }, ["The tag is v1.2.4", "git tag v1.2.3"]],
    ["of a tag without its v", { env: { GITHUB_REF_NAME: "1.2.3" } }, ["The tag is 1.2.3", "git tag v1.2.3"]],
    ["without a tag", { env: { GITHUB_REF_NAME: undefined } }, ["no tag", "release.yml", "git tag v1.2.3"]],
    ["that the changelog does not know", { changelog: "## [1.2.4] - 2026-11-23\n" }, ['Write "## [1.2.3] - ']],
    ["without a date", { changelog: "## [1.2.3]\n" }, ['Write "## [1.2.3] - ']],
    ["of a date to come", { changelog: "## [1.2.3] - soon\n" }, ['Write "## [1.2.3] - ']],
    ["that only looks like the version", { changelog: "## [1x2.3] - 2026-11-23\n" }, ['Write "## [1.2.3] - ']],
    [
      "with lines that are still unreleased",
      { changelog: CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n### Fixed\n\n- More.\n") },
      ["[Unreleased]", "move them"],
    ],
    ["by an npm that needs a token", trusted("11.5.0"), ["This is npm 11.5.0", "11.5.1", "Use Node 24"]],
    ["by a much older npm", trusted("10.9.9"), ["This is npm 10.9.9", "11.5.1"]],
  ];
  it.each(refused)("is refused %s", (_, release, says) => {
    const { status, stdout, stderr, refusals } = check(release);
    expect({ status, stdout, count: refusals.length }).toEqual({ status: 1, stdout: "", count: 1 });
    for (const text of says) expect(refusals[0]).toContain(text);
    expect(stderr).toContain("twiml-fax@1.2.3 cannot be released yet. Nothing was published.");
  });

  it("hears of everything at once", () => {
    const manifest = { repository: undefined, homepage: undefined, bugs: undefined };
    expect(check({ manifest, changelog: "", env: { GITHUB_REF_NAME: "main" } }).refusals).toHaveLength(5);
  });

  it("is checked by npm publish itself", () => {
    expect(JSON.parse(read("package.json")).scripts.prepublishOnly).toBe("node .github/check-release.mjs");
  });
});

describe("the workflows", () => {
  const files = readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`);
  const code = files.map(read).join("\n");

  it("pin every action by its commit, the same everywhere, and leave no credentials behind", () => {
    const uses = [...code.matchAll(/uses: (.*)/g)].map((match) => match[1]!);
    for (const each of uses) expect(each).toMatch(/^actions\/(checkout|setup-node)@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(new Set(uses).size).toBe(2);
    const checkouts = uses.filter((each) => each.startsWith("actions/checkout@")).length;
    expect(code.match(/checkout@.*\n {8}with:\n {10}persist-credentials: false\n/g)).toHaveLength(checkouts);
  });

  it("may read, and nothing else but the publishing job may ask for an identity", () => {
    for (const name of files) expect(read(name)).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(code.match(/: write$/gm)).toEqual([": write"]);
    const publish = read(".github/workflows/release.yml").split(/^ {2}publish:\n/m)[1];
    expect(publish).toContain("id-token: write");
    expect(publish).toMatch(/check-release\.mjs[\s\S]*npm publish/);
    expect(publish).toContain("needs: gate");
  });

  it.each([...files, ".github/CONTRIBUTING.md", ".github/SECURITY.md"])("%s names only scripts that exist", (name) => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts);
    const listed = /script: \[(.*)\]/.exec(read(name))?.[1]?.split(", ") ?? [];
    const named = [...read(name).matchAll(/npm run ([a-z][a-z:]*)/g)].map((match) => match[1]!);
    for (const each of [...named, ...listed]) expect(scripts).toContain(each.replaceAll('"', ""));
  });
});
