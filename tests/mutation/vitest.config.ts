/** The tests that a mutant must fail: the unit tests of src/. Others run the build, or read the mutated source. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/*.test.ts", "tests/{shared,twiml,params,webhook,testing,cli}/*.test.ts"],
    exclude: [
      "**/node_modules/**",
      "tests/{cli,editor,growth,layout,readme,release}.test.ts",
      "tests/testing/examples*",
    ],
    // Large inputs take most of the time, and kill no mutant that a small input does not kill.
    testNamePattern: /^(?!.*(sixteen times|all in messages|linear time|200,000|megabyte|MiB|every pair|[Gg]rowth))/,
    testTimeout: 60_000,
  },
});
