/** A vault that nobody has, for those who have none: built by the same previews as any other. */
import { getBase16Encoder } from '@solana/kit';
import type { State } from '../chain/state';
import { valueOf, ONE } from '../fixed';
import { getVaultCodec, KEEL_PROGRAM_ADDRESS } from '../generated';
import { isRefused, type Action, type RawAccount, type ReserveView, type Risk } from '../risk';

/** What the collateral is worth at least. */
const LEAST_DOLLARS = 1_000n * ONE;
/** How much of what may be borrowed is, in percent. */
const BORROWED = 85n;

/** One restless collateral and one quiet debt; `undefined` where the market has no such pair, or no price for one. */
export function exampleVault(risk: Risk, state: State, reserves: readonly ReserveView[]): RawAccount | undefined {
  const { snapshot, moment, listings } = state;
  const byHaircut = reserves
    .map((view, i) => ({ view, i, listing: listings[i] }))
    .filter(({ view }) => view.liquidationFactor > 0n && !view.minted)
    .toSorted((a, b) => (a.view.maintenanceHaircut > b.view.maintenanceHaircut ? -1 : 1));
  const [collateral, debt] = [byHaircut[0], byHaircut.at(-1)];
  const price = collateral?.view.prices.collateralLiquidation;
  if (collateral?.listing === undefined || debt?.listing === undefined || collateral === debt) {
    return undefined;
  }
  if (price === undefined || isRefused(price)) {
    return undefined;
  }
  let amount = 10n ** BigInt(collateral.view.decimals);
  while (valueOf(amount, price) < LEAST_DOLLARS) {
    amount *= 10n;
  }
  const act = (vault: RawAccount | undefined, reserve: State['listings'][number], action: Action, units: bigint) => {
    const preview = vault && risk.preview(snapshot, moment, vault, reserve.address, action, units);
    return vault === undefined || preview === undefined || isRefused(preview) || preview.refusal !== null
      ? undefined
      : { ...vault, data: getBase16Encoder().encode(preview.data) };
  };
  const deposited = act(emptyVault(state), collateral.listing, 'deposit', amount);
  if (deposited === undefined) {
    return undefined;
  }
  const most = risk.largest(snapshot, moment, deposited, debt.listing.address, 'borrow').amount;
  return act(deposited, debt.listing, 'borrow', (most * BORROWED) / 100n);
}

function emptyVault({ snapshot }: State): RawAccount {
  const codec = getVaultCodec();
  const nothing = codec.decode(new Uint8Array(codec.fixedSize));
  const data = codec.encode({ ...nothing, version: 1, market: snapshot.market.address });
  return { address: snapshot.market.address, owner: KEEL_PROGRAM_ADDRESS, data };
}
