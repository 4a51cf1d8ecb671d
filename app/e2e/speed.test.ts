/** How long it takes until the app can be used, with nothing in the browser's cache. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Stage } from './stage';

const BUDGET_MILLISECONDS = 2_000;
/** The best of these counts: a machine that does something else at the same time is not the app's fault. */
const RUNS = 3;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.begin();
});

afterAll(() => stage.end());

it('is under two seconds', async () => {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { page } = await stage.open('/');
    await page.locator('tbody tr', { hasText: 'USDC' }).waitFor();
    await page
      .getByRole('banner')
      .getByRole('button', { name: 'Connect wallet' })
      .and(page.locator(':enabled'))
      .waitFor();
    // Since the navigation began.
    times.push(await page.evaluate(() => performance.now()));
    await page.context().close();
  }
  console.log(`interactive after ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
  expect(Math.min(...times)).toBeLessThan(BUDGET_MILLISECONDS);
});
