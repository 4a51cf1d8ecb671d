/** The chain does not answer, for a while or from the beginning, or is another one afterwards. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible, picture } from './browser';
import { Proxy } from './proxy';
import { Stage, choose, hide, move, openVault, says } from './stage';

/** Within this, it is said that the chain is gone: a period, and the patience with a node that hangs. */
const LOST_MILLISECONDS = 10_000;
/** Within this, that it is back: the longest pause, and a look. */
const BACK_MILLISECONDS = 20_000;
/** How often a list is looked for, milliseconds. */
const A_LIST = 4_000;

let stage: Stage;
let proxy: Proxy;

beforeAll(async () => {
  stage = await Stage.begin();
  proxy = await Proxy.begin(stage.chain);
});

afterAll(async () => {
  await proxy.cut();
  await stage.end();
});

// Whatever the test before has left behind.
beforeEach(() => proxy.mend());

const box = '[aria-label=Connection]';

async function opened(): Promise<Page> {
  const { page } = await stage.open('/vault', (one) => proxy.stand(one, stage.chain));
  await openVault(page);
  await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
  await choose(page, 'Deposit', 'SOL');
  await page.getByLabel('Amount').fill('1');
  return page;
}

async function isLost(page: Page): Promise<void> {
  await page.locator(box).getByRole('button', { name: 'Try now' }).waitFor({ timeout: LOST_MILLISECONDS });
  await says(page, box, /What you see is as of \d+ s ago/);
  await says(page, box, 'Nothing can be signed. Trying again…');
}

async function isBack(page: Page): Promise<void> {
  await page.locator(box).getByText('The chain answers again.').waitFor({ timeout: BACK_MILLISECONDS });
  expect(await page.locator(box).getByRole('button', { name: 'Try now' }).count()).toBe(0);
}

describe('the chain', () => {
  it('dies and comes back, and nothing is lost', async () => {
    const page = await opened();
    await proxy.cut();
    await isLost(page);
    await says(page, box, 'The chain does not answer.');
    // What was known is still there, and recognizable as old.
    await says(page, '.positions li', '$2,000.00');
    expect(await page.locator('main').getAttribute('class')).toBe('old');
    expect(await page.getByRole('button', { name: 'Review' }).isDisabled()).toBe(true);
    await expectAccessible(page);
    await picture(page, 'lost');
    await proxy.mend();
    await isBack(page);
    expect(await page.locator('main').getAttribute('class')).toBeNull();
    expect(await page.getByLabel('Amount').inputValue()).toBe('1');
    await expectAccessible(page);
    await picture(page, 'back');
    await page.locator(box).getByRole('button', { name: 'OK' }).click();
    await move(page, 'Deposit', 'SOL', '1', 'Deposited.');
    await page.context().close();
  });

  it('dies and comes back, and a list goes on, which nobody asks for while the page is hidden', async () => {
    let asked = 0;
    const { page } = await stage.open('/governance', (one) => {
      one.on('request', (request) => {
        asked += (request.postData() ?? '').includes('getProgramAccounts') ? 1 : 0;
      });
      return proxy.stand(one, stage.chain);
    });
    await page.locator('main .change').first().waitFor();
    await proxy.cut();
    await says(page, 'main [role=alert]', 'The queued changes cannot be fetched');
    await proxy.mend();
    await isBack(page);
    await page.getByText('The queued changes cannot be fetched').waitFor({ state: 'detached', timeout: A_LIST });
    let before = asked;
    await expect.poll(() => asked, { timeout: 2 * A_LIST }).toBeGreaterThan(before);
    await hide(page, true);
    before = asked;
    await page.waitForTimeout(3 * A_LIST);
    expect(asked).toBe(before);
    await hide(page, false);
    await expect.poll(() => asked, { timeout: A_LIST / 2 }).toBeGreaterThan(before);
    await page.context().close();
  });

  it('hangs during a review, which is still there afterwards', async () => {
    const page = await opened();
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).waitFor();
    proxy.hang();
    await isLost(page);
    expect(await page.getByRole('button', { name: 'Sign and send' }).isDisabled()).toBe(true);
    await proxy.mend();
    await isBack(page);
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, '.panel .status', 'Deposited.');
    await page.context().close();
  });

  it('dies between the signature and the confirmation, which is waited for', async () => {
    const page = await opened();
    await page.getByRole('button', { name: 'Review' }).click();
    let isSent = false;
    await page.route(`${proxy.url}/**`, async (route) => {
      const asked = route.request().postData() ?? '';
      if (asked.includes('"sendTransaction"')) {
        // It arrives; the answer does not.
        await route.fetch();
        isSent = true;
        await proxy.cut();
        await route.abort();
      } else {
        await route.continue();
      }
    });
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await expect.poll(() => isSent).toBe(true);
    await isLost(page);
    await says(page, '.panel .status', 'Waiting for the chain to confirm');
    await proxy.mend();
    await says(page, '.panel .status', 'Deposited.');
    await page.context().close();
  });

  it('stands still, though the node answers, and goes on', async () => {
    const page = await opened();
    let kept: string | undefined;
    await page.route(`${proxy.url}/**`, async (route) => {
      if (!(route.request().postData() ?? '').includes('"getMultipleAccounts"')) {
        await route.continue();
        return;
      }
      kept ??= await (await route.fetch()).text();
      await route.fulfill({
        body: kept,
        contentType: 'application/json',
        headers: { 'access-control-allow-origin': '*' },
      });
    });
    await says(page, '.positions li', '$2,000.00');
    await page
      .locator(box)
      .getByText('The node answers, but its chain has stood still')
      .waitFor({ timeout: 30_000 + LOST_MILLISECONDS });
    expect(await page.getByRole('button', { name: 'Review' }).isDisabled()).toBe(true);
    await page.unroute(`${proxy.url}/**`);
    await isBack(page);
    await page.context().close();
  });

  it('is dead when the page is opened, which says so and recovers', async () => {
    await proxy.cut();
    const { page } = await stage.open('/', (one) => proxy.stand(one, stage.chain));
    await says(page, box, 'The chain does not answer.');
    await expectAccessible(page);
    await picture(page, 'dead');
    await proxy.mend();
    await says(page, 'tbody tr', 'USDC');
    await isBack(page);
    await page.context().close();
  });

  it('is found when only the third request for its address is answered', async () => {
    let requests = 0;
    const { page } = await stage.open('/', (one) =>
      one
        .route('**/config.json', (route) => {
          requests += 1;
          return requests < 3 ? route.fulfill({ status: 503, body: '' }) : route.continue();
        })
        .then(() => undefined),
    );
    await says(page, 'tbody tr', 'USDC');
    expect(requests).toBeGreaterThanOrEqual(3);
    await page.context().close();
  });

  it('is started anew, and the page goes on with the new one', async () => {
    const { page } = await stage.open('/vault');
    await openVault(page);
    await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
    await stage.chain.restart();
    await says(page, box, 'The chain was started anew.');
    await says(page, 'main', 'This wallet has no SOL yet');
    await page.getByRole('button', { name: 'Get test tokens' }).click();
    await page.getByRole('button', { name: 'Open vault' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await move(page, 'Deposit', 'SOL', '2', 'Deposited.');
    await says(page, '.positions li', '$400.00');
    await page.context().close();
  });

  it('has moved, which the page says, and is reloaded', async () => {
    const { page } = await stage.open('/');
    await says(page, 'tbody tr', 'USDC');
    await stage.chain.move();
    await says(page, box, /The chain has moved to another address.*Nothing can be signed/);
    expect(await page.locator(box).getByText('Trying again').count()).toBe(0);
    await expectAccessible(page);
    await picture(page, 'moved');
    await page.locator(box).getByRole('button', { name: 'Reload' }).click();
    await page.locator(box).getByRole('button', { name: 'Reload' }).waitFor({ state: 'detached' });
    await says(page, 'tbody tr', 'USDC');
    expect(await page.locator(box).getAttribute('class')).toBe('connection ');
    await page.context().close();
  });
});
