/**
 * Refuses a release that npm would refuse, or that nobody could take back. `npm publish` runs it first
 * (prepublishOnly); `node .github/check-release.mjs` in the package's folder says what is missing.
 */
import { readFileSync } from "node:fs";

/** The first npm that publishes without a token: https://docs.npmjs.com/trusted-publishers */
const TRUSTED_NPM = [11, 5, 1];

/** What stands against a release, each in words that say what to do; none: it may go. */
function refusals({ manifest, changelog, env }) {
  return [
    ...addressRefusals(manifest, env.GITHUB_REPOSITORY),
    ...tagRefusals(manifest.version, env.GITHUB_REF_NAME),
    ...changelogRefusals(manifest.version, changelog),
    ...npmRefusals(env),
  ];
}

function* addressRefusals({ repository, homepage, bugs }, running) {
  const url = typeof repository === "string" ? repository : repository?.url;
  if (!url) {
    yield (
      "package.json has no `repository`. npm attests which repository a package was built in (provenance), and " +
      'refuses a package that does not name it. Set "repository": { "type": "git", "url": ' +
      `"git+https://github.com/${running ?? "OWNER/NAME"}.git" }.`
    );
  } else if (running && !names(url, running)) {
    yield (
      `package.json's \`repository\` is ${JSON.stringify(url)}, and this runs in ${running}. npm's provenance ` +
      `fails unless both are the same. Set its "url" to "git+https://github.com/${running}.git".`
    );
  }
  if (!homepage) yield 'package.json has no `homepage`. Set it to the address of the README, such as "…#readme".';
  if (!(typeof bugs === "string" ? bugs : (bugs?.url ?? bugs?.email))) {
    yield 'package.json has no `bugs`. Set it to where users report them, such as "…/issues".';
  }
}

/** Whether the URL is that of the GitHub repository "owner/name". */
function names(url, repository) {
  return /^(?:git\+)?https:\/\/github\.com\/([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(url)?.[1] === repository;
}

function* tagRefusals(version, tag) {
  if (tag === `v${version}`) return;
  const cure = `Tag the commit that is to be released: git tag v${version} && git push origin v${version}.`;
  yield tag
    ? `The tag is ${tag}, and package.json's version is ${version}. Set the version to the tag's, or: ${cure}`
    : `There is no tag: releases come from .github/workflows/release.yml, which sets GITHUB_REF_NAME. ${cure}`;
}

function* changelogRefusals(version, changelog) {
  const sections = changelog.split(/^## /m).slice(1);
  const dated = new RegExp(`^\\[${version.replace(/[.+]/g, "\\$&")}\\] - \\d{4}-\\d\\d-\\d\\d\\s`);
  if (!sections.some((section) => dated.test(section))) {
    yield (
      `CHANGELOG.md has no dated section for ${version}. Write "## [${version}] - YYYY-MM-DD" under ` +
      '"## [Unreleased]", above what has changed since the last version.'
    );
  }
  if (sections.some((section) => /^\[Unreleased\]\s+\S/.test(section))) {
    yield (
      `CHANGELOG.md still has lines under "## [Unreleased]". They would ship without being in any version: move ` +
      `them under a version that has not been released, and set package.json's version to it.`
    );
  }
}

function* npmRefusals({ ACTIONS_ID_TOKEN_REQUEST_URL: trusted, npm_config_user_agent: agent = "" }) {
  const version = /^npm\/(\d+)\.(\d+)\.(\d+)/.exec(agent)?.slice(1).map(Number);
  if (!trusted || !version) return;
  const differs = version.findIndex((part, i) => part !== TRUSTED_NPM[i]);
  if (version[differs] < TRUSTED_NPM[differs]) {
    yield `This is npm ${version.join(".")}, and trusted publishing needs ${TRUSTED_NPM.join(".")}. Use Node 24.`;
  }
}

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const found = refusals({ manifest, changelog: readFileSync("CHANGELOG.md", "utf8"), env: process.env });
const name = `${manifest.name}@${manifest.version}`;
if (found.length === 0) {
  console.log(`${name} may be released.`);
} else {
  for (const each of found) console.error(`- ${each}`);
  console.error(`\n${name} cannot be released yet. Nothing was published.`);
  process.exitCode = 1;
}
