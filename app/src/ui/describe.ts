/** Events of the program, as people read them. */
import type { HistoryEvent } from '../chain/history';
import * as format from '../format';

/** What has to be known of an asset to tell of it. */
export interface Asset {
  symbol: string;
  decimals: number;
}

/** Without debt there is no health: the program's word for it. */
const NO_DEBT = (1n << 128n) - 1n;

const FLOWS: Readonly<Record<string, string>> = {
  Deposit: 'Deposited',
  Withdraw: 'Withdrew',
  Borrow: 'Borrowed',
  Repay: 'Repaid',
};

/** What happened to the vault, in a few words, and what is to be known besides. */
export function describe(
  { kind, data }: HistoryEvent,
  assetOf: (reserve: string) => Asset | undefined,
): { title: string; detail?: string } {
  const text = (name: string) => String(data[name]);
  const number = (name: string) => BigInt(text(name));
  const amount = (name: string, reserve: string) => {
    const asset = assetOf(text(reserve));
    return asset === undefined
      ? `${text(name)} units of an asset that is not listed here`
      : `${format.amount(number(name), asset.decimals)} ${asset.symbol}`;
  };
  const symbol = (reserve: string) => assetOf(text(reserve))?.symbol ?? 'an asset that is not listed here';
  const health = () => `health ${healthOf(number('healthBefore'))} → ${healthOf(number('healthAfter'))}`;
  switch (kind) {
    case 'VaultOpened':
      return { title: 'Vault opened' };
    case 'VaultClosed':
      return { title: 'Vault closed' };
    case 'Moved':
      return { title: `${FLOWS[text('flow')] ?? text('flow')} ${amount('amount', 'reserve')}` };
    case 'Liquidated':
      return {
        title: `Liquidated: ${amount('seized', 'collateralReserve')} taken for ${amount('repaid', 'debtReserve')} of debt`,
        detail: `Bonus ${format.percent(number('bonus'))}, ${health()}, by ${format.short(text('keeper'))}`,
      };
    case 'Redeemed':
      return {
        title: `Redeemed: ${amount('seized', 'collateralReserve')} taken for debt`,
        detail: `Fee ${format.percent(number('fee'))}, half of it kept by the vault, ${health()}, by ${format.short(text('redeemer'))}`,
      };
    case 'BadDebtRecognized':
      return { title: `${amount('owed', 'reserve')} of debt written off` };
    case 'CollateralForfeited':
      return { title: `The rest of ${symbol('reserve')} went to the insurance` };
    case 'DelegateSet':
      return Number(data['rights']) === 0
        ? { title: 'Delegate removed' }
        : { title: `${format.short(text('delegate'))} may act for the owner` };
    case 'GroupSet':
      return {
        title: Number(data['group']) === 0 ? 'Left the efficiency group' : `Efficiency group ${text('group')} chosen`,
      };
    case 'VaultTransferred':
      return { title: `Vault given by ${format.short(text('from'))} to ${format.short(text('to'))}` };
    default:
      return { title: kind };
  }
}

function healthOf(bits: bigint): string {
  return format.health(bits === NO_DEBT ? null : bits);
}
