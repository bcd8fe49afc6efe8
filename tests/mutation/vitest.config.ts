/**
 * The tests that a mutant must fail: those of src/, without the ones that start servers, need the built package, or
 * read the source itself, which holds all mutants at once here.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/*.test.ts", "tests/webhook/*.test.ts"],
    exclude: ["**/node_modules/**", "tests/readme.test.ts", "tests/growth.test.ts", "tests/house.test.ts"],
  },
});
