import { useMemo } from 'react';
import { fetchVaults, type VaultEntry } from '../chain/vaults';
import { useSession } from '../session';
import { usePolled } from './usePolled';

const PERIOD_MILLISECONDS = 12_000;

/**
 * The vaults that the wallet has to do with; `undefined` until they are known. None where the node finds no accounts: the
 * first vault can be used all the same.
 */
export function useWalletVaults(): { vaults: readonly VaultEntry[] | undefined; refresh: () => void } {
  const { base, config, wallet } = useSession();
  const [rpc, market, address] = [base?.rpc, config?.market, wallet?.address];
  const ask = useMemo(
    () =>
      rpc === undefined || market === undefined || address === undefined
        ? undefined
        : () => fetchVaults(rpc, market, address),
    [rpc, market, address],
  );
  const { found, error, refresh } = usePolled(ask, PERIOD_MILLISECONDS);
  return { vaults: found ?? (error === undefined ? undefined : []), refresh };
}
