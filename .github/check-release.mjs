/**
 * Stops a release whose version, tag and changelog differ: npm never accepts the same version twice. `npm publish`
 * runs this first (prepublishOnly). npm itself checks the rest.
 */
import { readFileSync } from "node:fs";

const { version, repository } = JSON.parse(readFileSync("package.json", "utf8"));
const tag = process.env.GITHUB_REF_NAME;
const headings = readFileSync("CHANGELOG.md", "utf8").match(/^## \[.*\] - \d{4}-\d\d-\d\d\s*$/gm) ?? [];

const problems = [];
if (!repository) {
  const reason = "npm names it in the provenance, and resolves the links of the README against it.";
  problems.push(`package.json has no "repository". Set it to the GitHub URL: ${reason}`);
}
if (tag !== `v${version}`) {
  problems.push(`The tag (GITHUB_REF_NAME) is ${tag}, not v${version}. Run: git tag v${version}`);
}
if (!headings.some((heading) => heading.startsWith(`## [${version}] - `))) {
  problems.push(`CHANGELOG.md has no dated section for ${version}. Write "## [${version}] - YYYY-MM-DD".`);
}
for (const problem of problems) console.error(`- ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
