/** The rules of `npm run lint`: the strict set of typescript-eslint, without those that this code breaks on purpose. */
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  {
    files: ["src/**/*.ts", "docs/examples/*.mjs"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: `${import.meta.dirname}/tsconfig.json` } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // With noUncheckedIndexedAccess, each group of a pattern that matched is `string | undefined`.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-plus-operands": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
      // Public functions check the arguments of callers without TypeScript. By the types, the checks look unnecessary.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // `return next(error)` and `() => clearTimeout(timer)` are shorter, and their callers ignore the result.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // Lines, columns and edit distances count code points. The rule still reports spread promises, maps and classes.
      "@typescript-eslint/no-misused-spread": ["error", { allow: ["string"] }],
      // The private field of a constructor-only class marks a checked verb: a WeakMap makes a build 80% slower.
      "@typescript-eslint/no-extraneous-class": ["error", { allowConstructorOnly: true }],
      // tsc reports unused names (noUnusedLocals), and permits the underscore of a destructured one.
      "@typescript-eslint/no-unused-vars": "off",
    },
  },
  {
    files: ["docs/examples/*.mjs"],
    rules: {
      // JavaScript cannot annotate the parameter of a catch callback.
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "off",
      // The globals and modules of Bun, Deno, Workers and Lambda have no types here.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      // Fastify takes an async function without `await` as a plugin, and a plain one must call `done`.
      "@typescript-eslint/require-await": "off",
      // `createServer(webhook.node)`: Node ignores the promise, and webhook.node passes its errors on by itself.
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
    },
  },
);
