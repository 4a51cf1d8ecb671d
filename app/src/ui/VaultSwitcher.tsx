import type { ReactNode } from 'react';
import type { Address } from '@solana/kit';
import type { State } from '../chain/state';
import type { VaultEntry } from '../chain/vaults';
import * as format from '../format';
import { isRefused, type RawAccount, type Risk } from '../risk';
import './VaultSwitcher.css';

/** What a vault is called; of others with whose it is. One that was somebody else's may have the number of another. */
function vaultName({ raw, vault, as }: VaultEntry, all: readonly VaultEntry[]): string {
  const name = `Vault ${(vault.index + 1).toString()}`;
  if (as !== 'owner') {
    return `${name} of ${format.short(vault.owner)}`;
  }
  const isUnique = all.every((other) => other.raw === raw || other.as !== as || other.vault.index !== vault.index);
  return isUnique ? name : `${name} (${format.short(raw.address)})`;
}

const RELATIONS: Record<VaultEntry['as'], string> = {
  owner: '',
  delegate: 'you are its delegate',
  offered: 'offered to you',
};

/** Chooses among the vaults that the wallet has to do with, and opens another. */
export function VaultSwitcher({
  vaults,
  risk,
  state,
  shown,
  current,
  isBusy,
  onChoose,
  onOpen,
  onAccept,
  children,
}: {
  vaults: readonly VaultEntry[];
  risk: Risk;
  state: State;
  /** The address of the vault that is shown. */
  shown: Address;
  /** The same as it is now: it is fetched more often than the others. */
  current: RawAccount | undefined;
  isBusy: boolean;
  onChoose: (address: Address) => void;
  onOpen: () => void;
  onAccept: (entry: VaultEntry) => void;
  /** What is being opened or accepted. */
  children: ReactNode;
}) {
  return (
    <section className="switcher" aria-label="Vaults">
      <ul>
        {vaults.map((entry) => {
          const { liquidation } = risk.vault(
            state.snapshot,
            state.moment,
            entry.raw.address === current?.address ? current : entry.raw,
          );
          const health = isRefused(liquidation) ? 'no price' : format.health(liquidation.health);
          return (
            <li key={entry.raw.address}>
              <button
                type="button"
                className="quiet"
                aria-current={entry.raw.address === shown}
                onClick={() => {
                  onChoose(entry.raw.address);
                }}
              >
                <span>{vaultName(entry, vaults)}</span>
                <span className="small">
                  {[health === 'No debt' ? 'no debt' : `health ${health}`, RELATIONS[entry.as]]
                    .filter(Boolean)
                    .join(', ')}
                </span>
              </button>
              {entry.as === 'offered' && (
                <button
                  type="button"
                  disabled={isBusy}
                  onClick={() => {
                    onAccept(entry);
                  }}
                >
                  Accept<span className="unseen"> {vaultName(entry, vaults)}</span>
                </button>
              )}
            </li>
          );
        })}
        <li>
          <button type="button" className="quiet" disabled={isBusy} onClick={onOpen}>
            Open another
          </button>
        </li>
      </ul>
      {children}
    </section>
  );
}
