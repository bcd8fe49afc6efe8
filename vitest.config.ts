import { defineConfig } from "vitest/config";

// The package's own name means the source here, not the last build.
const alias = [
  { find: /^twiml-fax$/, replacement: `${import.meta.dirname}/src/index.ts` },
  // What only its platform has.
  { find: "cloudflare:workers", replacement: `${import.meta.dirname}/tests/servers/platforms/workers.ts` },
  { find: "@aws-sdk/client-s3", replacement: `${import.meta.dirname}/tests/servers/platforms/s3.ts` },
  { find: /^twiml-fax\/(webhook|testing)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
];

/** What starts processes, reads the build, tries at random, or measures: `npm test` runs it, `npm run check` does not. */
const SLOW = ["tests/{fuzz,package}/**/*.test.ts", "tests/{cli,editor,growth,node-test,readme,release}.test.ts"];

export default defineConfig({
  test: {
    // The type tests (*.test-d.ts) are checked by `npm run types`, as all of TypeScript here.
    maxWorkers: "100%",
    projects: [
      {
        resolve: { alias },
        test: {
          name: "fast",
          include: ["tests/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...SLOW],
          // No test waits that long: it is for busy machines.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: { name: "slow", include: SLOW, testTimeout: 180_000, hookTimeout: 180_000 },
      },
    ],
  },
});
