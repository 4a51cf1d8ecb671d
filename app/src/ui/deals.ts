/** What liquidating a vault would come to, for each pair of its debts and collaterals. */
import type { Address } from '@solana/kit';
import type { LiquidationTerms } from '../chain/instructions';
import { sameData, type State } from '../chain/state';
import { Receive } from '../generated';
import { isRefused, type Liquidation, type RawAccount, type Risk, type VaultView } from '../risk';

/** More than anybody has. */
const ANY = 2n ** 64n - 1n;
/** How much more than previewed may be repaid, and how much less received, in hundredths: interest accrues, prices move. */
const SLACK = 1n;

/** A pair, by the numbers of its reserves. */
export interface Deal {
  debt: number;
  collateral: number;
  found: Liquidation;
}

/** Whether two deals are about the same assets, whatever they come to. */
export function isSamePair(a: Deal, b: Deal): boolean {
  return a.debt === b.debt && a.collateral === b.collateral;
}

/** The possible deals, the largest bounty first, and why another pair is refused: an error code. */
export interface Deals {
  deals: Deal[];
  refusal: number | undefined;
}

/** The deals of a keeper who has so much of a debt's asset; without `held`, of one who has everything. */
export function dealsOf(
  risk: Risk,
  { snapshot, moment, listings }: Pick<State, 'snapshot' | 'moment' | 'listings'>,
  vault: RawAccount,
  { positions }: VaultView,
  held: (reserve: number) => bigint = () => ANY,
  receive = Receive.Tokens,
): Deals {
  const on = (side: string) => positions.filter((position) => position.side === side).map(({ reserve }) => reserve);
  const result: Deals = { deals: [], refusal: undefined };
  for (const debt of on('debt').filter((reserve) => held(reserve) > 0n)) {
    for (const collateral of on('collateral')) {
      const [owed, seized] = [listings[debt], listings[collateral]];
      if (owed === undefined || seized === undefined) {
        continue;
      }
      const found = risk.liquidate(snapshot, moment, vault, owed.address, seized.address, held(debt), receive);
      if (isRefused(found)) {
        result.refusal = found.refused;
      } else {
        result.deals.push({ debt, collateral, found });
      }
    }
  }
  result.deals.sort((a, b) => (a.found.bounty > b.found.bounty ? -1 : a.found.bounty < b.found.bounty ? 1 : 0));
  return result;
}

/** The bounds within which a deal is to be executed, for a keeper who has `held` of the debt's asset. Shares go `into` a vault. */
export function termsOf(
  vault: RawAccount,
  { debt, collateral, found }: Deal,
  held: bigint,
  into?: Address,
): LiquidationTerms {
  const most = (found.repay * (100n + SLACK)) / 100n + 1n;
  return {
    vault,
    debt,
    collateral,
    maxRepay: most < held ? most : held,
    minSeize: (found.toKeeper * (100n - SLACK)) / 100n,
    into,
  };
}

/** Why what was reviewed is not what would happen now, in words; `undefined` while the bounds still hold what they held. */
export function whyAgain(
  terms: LiquidationTerms,
  vault: RawAccount,
  { found }: Deal,
  held: bigint,
): string | undefined {
  if (!sameData(terms.vault.data, vault.data)) {
    return 'The vault has changed in the meantime. This is what would happen now.';
  }
  // Before what is received: of less, less is received.
  if (held < terms.maxRepay) {
    return 'The wallet holds less by now. This is what would happen now.';
  }
  return found.toKeeper < terms.minSeize
    ? 'Prices have moved in the meantime. This is what would happen now.'
    : undefined;
}
