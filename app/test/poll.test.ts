import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { closely, gently, poll, type Manner } from '../src/poll';

/** The part of a page that polling has to do with. */
class Page extends EventTarget {
  hidden = false;

  show(isShown: boolean): void {
    this.hidden = !isShown;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

let page: Page;
let network: EventTarget;

beforeEach(() => {
  vi.useFakeTimers();
  page = new Page();
  network = new EventTarget();
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', network);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** When it looked, milliseconds. */
function looks(fails: () => boolean = () => false, manner: Manner = closely(2_000)) {
  const times: number[] = [];
  const start = Date.now();
  const polling = poll(manner, () => {
    times.push(Date.now() - start);
    return fails() ? Promise.reject(new Error('dead')) : Promise.resolve();
  });
  return { times, polling };
}

describe('polling', () => {
  it('looks at once, and then regularly until it is stopped', async () => {
    const { times, polling } = looks();
    await vi.advanceTimersByTimeAsync(4_500);
    expect(times).toEqual([0, 2_000, 4_000]);
    polling.stop();
    network.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(times).toHaveLength(3);
  });

  it('waits longer after each failure, and not after the first success', async () => {
    let isDead = true;
    const { times } = looks(() => isDead);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(times).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 23_500]);
    isDead = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(times.slice(7)).toEqual([31_500, 33_500, 35_500]);
  });

  it('looks at once when the network is back', async () => {
    let isDead = true;
    const { times } = looks(() => isDead);
    await vi.advanceTimersByTimeAsync(16_000);
    isDead = false;
    network.dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(2_500);
    expect(times.slice(6)).toEqual([16_000, 18_000]);
  });

  it('looks seldom while the page is hidden, and at once when it is shown', async () => {
    const { times } = looks();
    await vi.advanceTimersByTimeAsync(100);
    page.show(false);
    await vi.advanceTimersByTimeAsync(60_000);
    // The one that was due already, and then one every half minute.
    expect(times).toEqual([0, 2_000, 32_000]);
    page.show(true);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(times.slice(3)).toEqual([60_100, 62_100]);
  });

  it('looks again after the look that is under way, and never twice at once', async () => {
    let running = 0;
    let most = 0;
    let count = 0;
    const { again, stop } = poll(closely(2_000), async () => {
      running += 1;
      count += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      running -= 1;
    });
    again();
    again();
    await vi.advanceTimersByTimeAsync(1_500);
    expect([count, most]).toEqual([2, 1]);
    stop();
  });

  describe('of lists', () => {
    it('waits twice as long after each failure, up to a minute, and not after the first success', async () => {
      let isDead = true;
      const { times } = looks(() => isDead, gently(4_000));
      await vi.advanceTimersByTimeAsync(122_500);
      expect(times).toEqual([0, 2_000, 6_000, 14_000, 30_000, 62_000, 122_000]);
      isDead = false;
      await vi.advanceTimersByTimeAsync(66_000);
      expect(times.slice(7)).toEqual([182_000, 186_000]);
    });

    it('does not look while the page is hidden, and at once when it is shown', async () => {
      const { times } = looks(undefined, gently(4_000));
      await vi.advanceTimersByTimeAsync(4_100);
      page.show(false);
      await vi.advanceTimersByTimeAsync(600_000);
      network.dispatchEvent(new Event('online'));
      await vi.advanceTimersByTimeAsync(600_000);
      expect(times).toEqual([0, 4_000]);
      page.show(true);
      await vi.advanceTimersByTimeAsync(4_500);
      expect(times.slice(2)).toEqual([1_204_100, 1_208_100]);
    });

    it('begins when the page is shown, if it was opened hidden', async () => {
      page.show(false);
      const { times } = looks(undefined, gently(4_000));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(times).toEqual([]);
      page.show(true);
      await vi.advanceTimersByTimeAsync(0);
      expect(times).toEqual([10_000]);
    });

    it('looks once when asked for, hidden or not', async () => {
      const { times, polling } = looks(undefined, gently(4_000));
      await vi.advanceTimersByTimeAsync(100);
      page.show(false);
      polling.again();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(times).toEqual([0, 100]);
    });

    it('looks the more seldom, the longer it takes', async () => {
      const times: number[] = [];
      const start = Date.now();
      poll(
        gently((took) => 5 * took),
        async () => {
          times.push(Date.now() - start);
          await new Promise((resolve) => setTimeout(resolve, 1_000));
        },
      );
      await vi.advanceTimersByTimeAsync(13_000);
      expect(times).toEqual([0, 6_000, 12_000]);
    });
  });

  it('does not look any more once it is stopped during a look', async () => {
    const { times, polling } = looks();
    polling.again();
    polling.stop();
    polling.again();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(times).toEqual([0]);
  });
});
