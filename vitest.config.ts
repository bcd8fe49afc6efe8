import { defineConfig } from "vitest/config";

// The package's own name refers to the source, not to the last build.
const alias = [
  { find: /^twiml-fax$/, replacement: `${import.meta.dirname}/src/index.ts` },
  // Modules that exist only on their platform.
  { find: "cloudflare:workers", replacement: `${import.meta.dirname}/tests/servers/platforms/workers.ts` },
  { find: "@aws-sdk/client-s3", replacement: `${import.meta.dirname}/tests/servers/platforms/s3.ts` },
  { find: "@azure/functions", replacement: `${import.meta.dirname}/tests/servers/platforms/azure.ts` },
  {
    find: "@google-cloud/functions-framework",
    replacement: `${import.meta.dirname}/tests/servers/platforms/google.ts`,
  },
  { find: "nodemailer", replacement: `${import.meta.dirname}/tests/servers/platforms/nodemailer.ts` },
  { find: "undici", replacement: `${import.meta.dirname}/tests/servers/platforms/undici.ts` },
  { find: /^twiml-fax\/(webhook|testing)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
  // Node has it from 22.5 on.
  { find: "node:sqlite", replacement: `${import.meta.dirname}/tests/servers/platforms/sqlite.ts` },
];

/** Tests that start processes, read the build, use random input or measure time. `npm run check` leaves them out. */
const SLOW = ["tests/{fuzz,package}/**/*.test.ts", "tests/{cli,editor,examples,growth,readme,release}.test.ts"];

export default defineConfig({
  test: {
    // `npm run types` checks the type tests (*.test-d.ts).
    maxWorkers: "100%",
    // Many tests disable verification, and the examples say where they listen.
    onConsoleLog: (text) => !/^(twiml-fax: authToken is false|waiting for faxes at)/.test(text),
    projects: [
      {
        resolve: { alias },
        test: {
          name: "fast",
          include: ["tests/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...SLOW],
          // No test takes that long, except on a busy machine.
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
