import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022' },
  test: { include: ['test/**/*.test.ts'], testTimeout: 300_000 },
});
