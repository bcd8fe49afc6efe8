/** The public API: the declarations of the three entries, as committed in api/api.md. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** The script is JavaScript, without declarations. */
const SCRIPT = "./api/report.mjs" as string;

const ADVICE =
  'The public API has changed. If that is intended, run "npm run api", review the difference, and describe it in ' +
  "CHANGELOG.md. A removed or changed line needs a major version, a new line a minor version.";

it("the three entries export exactly the declarations in tests/api/api.md", async () => {
  const { createReport, REPORT } = (await import(SCRIPT)) as { createReport: () => string; REPORT: string };
  expect(createReport(), ADVICE).toBe(readFileSync(REPORT, "utf8"));
});
