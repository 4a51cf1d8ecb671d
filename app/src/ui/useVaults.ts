import { useEffect, useMemo, useRef } from 'react';
import { explain } from '../chain/errors';
import { findAccounts } from '../chain/find';
import type { State } from '../chain/state';
import { ONE } from '../fixed';
import { getVaultCodec } from '../generated';
import {
  isRefused,
  type Moment,
  type RawAccount,
  type Risk,
  type Snapshot,
  type Valuation,
  type VaultView,
} from '../risk';
import { useSession, type Base } from '../session';
import { CLOSE_HEALTH } from './Summary';
import { usePolled } from './usePolled';

/** How often all vaults are fetched at most; those near a liquidation are valued anew whenever prices are. */
const PERIOD_MILLISECONDS = 4_000;
/** And how much longer the wait is than the look before it took: a market of many vaults is looked at more seldom. */
const REST = 5;
function waitAfter(tookMilliseconds: number): number {
  return Math.max(PERIOD_MILLISECONDS, REST * tookMilliseconds);
}

/** Vaults that are valued at a stretch: the page shall answer in between. */
const SLICE = 50;
/** Health under which a vault is kept in view, so that few come near unseen between two looks. */
const KEPT_HEALTH = (ONE * 6n) / 5n;

/** A vault with a debt, and what it is worth now. */
export interface Found {
  raw: RawAccount;
  view: VaultView;
  totals: Valuation & { health: bigint };
}

export interface Vaults {
  /** Those that can be liquidated or are close to it, the lowest health first. */
  near: Found[];
  /** How many have a debt. */
  indebted: number;
  /** How many hold an asset without a usable price. */
  unvalued: number;
  /** The lowest health of all; `undefined` when nobody has a debt. */
  lowest: bigint | undefined;
}

/** What counts in a liquidation; `undefined` of a vault with an asset that was listed since the market was looked at. */
function valueNow(
  risk: Risk,
  snapshot: Snapshot,
  moment: Moment,
  raw: RawAccount,
): VaultView['liquidation'] | undefined {
  try {
    return risk.vault(snapshot, moment, raw).liquidation;
  } catch {
    return undefined;
  }
}

type Scan = Omit<Vaults, 'near'> & { kept: RawAccount[] };

/** Fetches and values all vaults of the market. */
async function scan({ rpc, risk, known }: Base, { snapshot, moment }: State): Promise<Scan> {
  const vaults = await findAccounts(rpc, getVaultCodec(), { market: known.market.address });
  const result: Scan = { kept: [], indebted: 0, unvalued: 0, lowest: undefined };
  for (const [i, raw] of vaults.entries()) {
    if (i % SLICE === SLICE - 1) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    const liquidation = valueNow(risk, snapshot, moment, raw);
    if (liquidation === undefined || isRefused(liquidation)) {
      result.unvalued += 1;
      continue;
    }
    const { health, debt } = liquidation;
    result.indebted += debt > 0n ? 1 : 0;
    if (health !== null) {
      result.lowest = result.lowest === undefined || health < result.lowest ? health : result.lowest;
      if (health < KEPT_HEALTH) {
        result.kept.push(raw);
      }
    }
  }
  return result;
}

/** As it is shown, so that rows do not change places under the pointer for a difference that nobody sees. */
function byShownHealth(a: Found, b: Found): number {
  const order = Number((a.totals.health * 100n) / ONE - (b.totals.health * 100n) / ONE);
  return order === 0 ? a.raw.address.localeCompare(b.raw.address) : order;
}

/** The vaults of the market near a liquidation, while this is shown; `look` fetches them now. */
export function useVaults(): { vaults: Vaults | undefined; problem: string | undefined; look: () => void } {
  const { base, state } = useSession();
  const latest = useRef(state);
  const isReady = state !== undefined;
  useEffect(() => {
    latest.current = state;
  }, [state]);
  const ask = useMemo(
    () =>
      base === undefined || !isReady ? undefined : async () => latest.current && (await scan(base, latest.current)),
    [base, isReady],
  );
  const { found, error, refresh } = usePolled(ask, waitAfter);

  const vaults = useMemo(() => {
    if (base === undefined || state === undefined || found === undefined) {
      return undefined;
    }
    const near = found.kept.flatMap((raw): Found[] => {
      const view = base.risk.vault(state.snapshot, state.moment, raw);
      const totals = view.liquidation;
      const { health } = isRefused(totals) ? { health: null } : totals;
      return isRefused(totals) || health === null || health >= CLOSE_HEALTH
        ? []
        : [{ raw, view, totals: { ...totals, health } }];
    });
    near.sort(byShownHealth);
    return { ...found, near };
  }, [base, state, found]);
  return { vaults, problem: error === undefined ? undefined : explain(error), look: refresh };
}
