/** The built app in a browser, on a real chain with the compiled program. */
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, installWallet, observeShifts, picture, shifts } from './browser';
import type { LocalChain } from './chain';
import { Stage, choose, closeVault, move, moveAll, openVault, says } from './stage';

/** Most that the first view may take to be fetched. */
const BUDGET_BYTES = 300_000;

let stage: Stage | undefined;
let chain: LocalChain;
let open: Stage['open'];

beforeAll(async () => {
  stage = await Stage.begin();
  ({ chain } = stage);
  open = stage.open.bind(stage);
});

afterAll(() => stage?.end());

describe('the server', () => {
  /** The status and the text of an answer; `fetch` would not let us say who we are. */
  function ask(method: string, path: string, headers: Record<string, string>, body = ''): Promise<[number, string]> {
    return new Promise((resolve, reject) => {
      const asked = request(chain.url + path, { method, headers }, (answer) => {
        let text = '';
        answer.on('data', (part: Buffer) => (text += part.toString()));
        answer.on('end', () => {
          resolve([answer.statusCode ?? 0, text]);
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
  const address = '{"address":"4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"}';

  it('serves pages, files and nothing else', async () => {
    const [status, page] = await ask('GET', '/vault', {});
    expect(status).toBe(200);
    expect(page).toContain('<div id="root">');
    expect((await ask('GET', '/../package.json', {}))[0]).toBe(404);
    expect((await ask('POST', '/config.json', {}))[0]).toBe(405);
  });

  it('is this machine’s only', async () => {
    const [status, text] = await ask('GET', '/config.json', { host: 'elsewhere.example:80' });
    expect([status, text]).toEqual([403, '{"error":"ask for this server by 127.0.0.1 or localhost"}']);
    expect((await ask('GET', '/api/status', { host: 'elsewhere.example:80' }))[0]).toBe(403);
  });

  it('answers questions about the past, and no others', async () => {
    const [status, text] = await ask('GET', '/api/events?kind=MarketCreated', {});
    expect([status, text]).toEqual([200, expect.stringContaining('"kind":"MarketCreated"')]);
    expect(await ask('GET', '/api/events?limit=1000', {})).toEqual([400, expect.stringContaining('1 to 200')]);
    expect((await ask('GET', '/api/', {}))[0]).toBe(404);
  });

  it('gives to addresses, and to no other page', async () => {
    expect((await ask('POST', '/faucet', {}, address))[0]).toBe(200);
    expect((await ask('POST', '/faucet', { origin: 'http://elsewhere.example' }, address))[0]).toBe(403);
    expect((await ask('POST', '/faucet', {}, '{"address":"me"}'))[0]).toBe(400);
    expect((await ask('POST', '/faucet', {}, address + ' '.repeat(1_000)))[0]).toBe(400);
  });

  it('plays one price scenario at a time, and for no other page', async () => {
    const elsewhere = { origin: 'http://elsewhere.example' };
    expect((await ask('POST', '/scenarios/silence', elsewhere))[0]).toBe(403);
    expect((await ask('POST', '/scenarios/rise', {}))[0]).toBe(404);
    expect((await ask('POST', '/scenarios/silence', {}))[0]).toBe(200);
    expect(JSON.parse((await ask('GET', '/scenarios', {}))[1])).toMatchObject({ playing: { name: 'silence' } });
    const [status, text] = await ask('POST', '/scenarios/fall', {});
    expect([status, text]).toEqual([409, '{"error":"\\"The oracle stops\\" is playing; stop it first"}']);
    expect((await ask('DELETE', '/scenarios', elsewhere))[0]).toBe(403);
    expect((await ask('DELETE', '/scenarios', {}))[0]).toBe(200);
    expect(JSON.parse((await ask('GET', '/scenarios', {}))[1])).toMatchObject({ playing: null });
  });
});

describe('the markets', () => {
  it('are listed with what they hold, and sorted', async () => {
    const { page, seen } = await open('/');
    await says(page, 'tbody tr', 'USDC');
    const symbols = () => page.locator('tbody th').allTextContents();
    // By what is supplied: a million of USDC and more, 4,000 SOL at $200 and what users have deposited, nothing of kUSD.
    expect(await page.locator('tbody tr').first().textContent()).toMatch(/of cap/);
    await page.getByRole('button', { name: 'Asset' }).click();
    expect(await symbols()).toEqual(['SOL', 'USDC', 'kUSD']);
    await page.getByRole('button', { name: 'Asset' }).click();
    expect(await symbols()).toEqual(['kUSD', 'USDC', 'SOL']);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    const sol = await page.locator('tbody tr').last().textContent();
    expect(sol).toMatch(/\$200\.00± \$0\.12 · \d+ s ago/);
    await expectAccessible(page);
    await picture(page, 'markets');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('are cards on a telephone', async () => {
    const { page } = await open('/', async (opened) => {
      await opened.setViewportSize({ width: 390, height: 800 });
      await observeShifts(opened);
    });
    await page.locator('.cards h2', { hasText: 'SOL' }).waitFor();
    expect(await shifts(page)).toBeLessThan(0.01);
    expect(await page.locator('table').isVisible()).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.context().close();
  });

  it('are shown by few bytes, all of them from here', async () => {
    const { page, seen } = await open('/', observeShifts);
    await says(page, 'tbody tr', 'USDC');
    expect(await shifts(page)).toBeLessThan(0.01);
    const bodies = await Promise.all(seen.bodies);
    const kinds = ['.js', '.css', '.wasm', '/'];
    expect(kinds.filter((kind) => !bodies.some(({ url }) => url.endsWith(kind)))).toEqual([]);
    const bytes = bodies.reduce((sum, { body }) => sum + gzipSync(body, { level: 9 }).length, 0);
    expect(bytes).toBeLessThan(BUDGET_BYTES);
    const elsewhere = seen.requests.filter((url) => !url.startsWith(chain.url) && !url.startsWith(chain.rpc));
    expect(elsewhere).toEqual([]);
    await page.context().close();
  });
});

describe('a vault', () => {
  it('is opened, used and closed', async () => {
    const { page, seen } = await open('/vault');
    await page.getByRole('heading', { name: 'Your vault' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('main').getByRole('button', { name: 'Connect wallet' }).click();
    await expectAccessible(page);
    await picture(page, 'connect');
    await page.getByRole('button', { name: 'Burner wallet' }).click();
    await says(page, 'main', 'This wallet has no SOL yet');
    await page.getByRole('button', { name: 'Get test tokens' }).click();
    await page.getByRole('button', { name: 'Open vault' }).click();
    await page.getByRole('button', { name: 'Sign and send' }).click();
    await says(page, 'main', 'The vault is empty');

    await move(page, 'Deposit', 'SOL', '10', 'Deposited.');
    await says(page, '.positions li', '$2,000.00');
    expect(await page.getByTestId('health').textContent()).toContain('No debt');

    // 10 SOL at $200 carry no more than $2,000 * 75 %, less the haircut.
    await choose(page, 'Borrow', 'USDC');
    await page.getByLabel('Amount').fill('1600');
    await says(page, '.panel [role=alert]', 'The vault\u2019s health factor would be under 1'.replace('\u2019', "'"));
    expect(await page.getByRole('button', { name: 'Review' }).isDisabled()).toBe(true);
    await picture(page, 'refused');

    await move(page, 'Borrow', 'USDC', '1000', 'Borrowed.');
    await says(page, '.positions li', 'Debt');
    await page.getByTestId('critical').waitFor();
    const critical = await page.getByTestId('critical').textContent();
    // Debt / (amount * threshold * (1 - haircut)): 1,000 / (10 * 0.82 * 0.97).
    expect(critical).toMatch(/Liquidation begins when SOL falls below \$125\.\d\d, while/);
    const slider = page.getByRole('slider');
    await slider.fill('50');
    await says(page, '[data-testid=what-if]', 'The vault owes more than its collateral carries');
    expect(await slider.getAttribute('aria-valuetext')).toBe('$100.00');
    await slider.fill('80');
    await says(page, '[data-testid=what-if]', /Health would be 1\.2\d\. The value of all collateral may fall by 2\d/);
    await expectAccessible(page);
    await picture(page, 'vault');

    await choose(page, 'Withdraw', 'SOL');
    await page.getByLabel('Amount').fill('9');
    await says(page, '.panel [role=alert]', 'Borrow or withdraw less');
    await moveAll(page, 'Repay', 'USDC', 'Repaid.');
    await expect.poll(() => page.locator('.positions li').count()).toBe(1);
    await moveAll(page, 'Withdraw', 'SOL', 'Withdrawn.');
    await closeVault(page);
    await page.getByRole('button', { name: 'Disconnect' }).click();
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });

  it('is opened with an installed wallet', async () => {
    const { page, seen } = await open('/vault', installWallet);
    await openVault(page, 'Wallet of the test');
    expect(seen.complaints).toEqual([]);
    await page.context().close();
  });
});
