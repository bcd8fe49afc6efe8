/** A user's test under node:test, with the built package and without vitest. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

describe("twiml-fax/testing", () => {
  it("runs under node:test without vitest", () => {
    const file = join(import.meta.dirname, "testing/node.test.mjs");
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|VITEST|NODE_TEST)/.test(name)),
    );
    const out = execFileSync(process.execPath, ["--test", file], { encoding: "utf8", env });
    expect(out).toMatch(/pass 3\b[\s\S]*fail 0\b/);
  });
});
