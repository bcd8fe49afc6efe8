import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The type tests (*.test-d.ts) are checked by `npm run types`, as all of TypeScript here.
    projects: [
      {
        // The package's own name means the source here, not the last build.
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
        },
      },
      {
        test: { name: "package", include: ["tests/package/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 180_000 },
      },
    ],
  },
});
