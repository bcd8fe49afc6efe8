/** The tests that a mutant must fail: those of src/, without the ones that start servers, or are of something else. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/*.test.ts", "tests/webhook/*.test.ts"],
    exclude: ["**/node_modules/**", "tests/readme.test.ts", "tests/release.test.ts"],
  },
});
