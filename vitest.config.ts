import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        // A private workspace's package.json hides the package's own name from the examples in it.
        resolve: {
          alias: [
            { find: /^twiml-fax$/, replacement: `${import.meta.dirname}/src/index.ts` },
            { find: /^twiml-fax\/(webhook|testing)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
          ],
        },
        test: {
          name: "fast",
          include: ["tests/**/*.test.ts"],
          exclude: ["**/node_modules/**", "tests/package/**", "tests/runtimes/**"],
          typecheck: { enabled: true, include: ["tests/**/*.test-d.ts"], checker: "node_modules/typescript/bin/tsc" },
        },
      },
      {
        test: { name: "package", include: ["tests/package/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 180_000 },
      },
    ],
  },
});
