/**
 * The tests that a mutant must fail: those of src/, without the ones that start servers, are of something else, or read
 * the source itself, which holds all mutants at once here.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/*.test.ts", "tests/{shared,twiml,params,webhook,testing}/*.test.ts"],
    exclude: [
      "**/node_modules/**",
      "tests/{cli,growth,layout,node-test,readme,release}.test.ts",
      "tests/testing/examples*",
    ],
    // Large inputs and growth take most of the time, and kill no mutant that a small input would not.
    testNamePattern: /^(?!.*(sixteen times|linear time|200,000|megabyte|MiB|every pair|[Gg]rowth))/,
    testTimeout: 60_000,
  },
});
