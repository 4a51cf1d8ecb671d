import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'src/generated'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // Money is never computed with floating point; `src/fixed.ts` has what is needed.
      'no-restricted-globals': ['error', { name: 'parseFloat', message: 'Use src/fixed.ts: money is a bigint.' }],
    },
  },
  { files: ['scripts/*.mjs'], languageOptions: { globals: { URL: 'readonly' } } },
);
