import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  globalIgnores(["dist", "src/api/schema.gen.ts", "public"]),
  js.configs.recommended,
  ts.configs.strict,
  hooks.configs.flat["recommended-latest"],
  a11y.flatConfigs.strict,
  {
    rules: {
      // A leading underscore says: taken apart only to be left out.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // noUncheckedIndexedAccess makes an index that was just checked look unsure.
      "@typescript-eslint/no-non-null-assertion": "off",
      eqeqeq: "error",
    },
  },
  { files: ["story/**"], rules: { "no-undef": "off" } }, // TypeScript checks these files, and knows both worlds
);
