/** What the previews answer, as crates/risk-wasm/src/answer.rs writes it. */

/** The program would refuse, with this error code: `getKeelErrorMessage` of the generated client says why. */
export interface Refused {
  refused: number;
}

/** The sums of a vault. Dollars and health are fractions of 60 bits; see `fixed.ts`. */
export interface Totals {
  /** What all collateral is worth. */
  collateral: bigint;
  /** What may be owed against it. */
  limit: bigint;
  /** What is owed. */
  debt: bigint;
  /** `limit / debt`; `null` without debt. */
  health: bigint | null;
  healthy: boolean;
}

/** The sums for one purpose. */
export interface Valuation extends Totals {
  /** Why a collateral counted as zero for new risk, if one did: an error code. */
  discarded: number | null;
}

/** What one position comes to, prices or not. */
export interface Held {
  /** The number of its reserve in the snapshot. */
  reserve: number;
  side: 'collateral' | 'debt';
  /** Native units now. */
  amount: bigint;
}

/** One position, at the prices of liquidation. */
export interface Position extends Held {
  /** Dollars per native unit, 96 fractional bits. */
  price: bigint;
  /** Dollars. */
  value: bigint;
  /** What a dollar of it carries; 0 for a debt. */
  factor: bigint;
  /**
   * The price at which the vault is just healthy while others stand still: liquidation begins below it (collateral) or
   * above it (debt). `null` when this price does not matter to that.
   */
  criticalPrice: bigint | null;
}

/** A vault. */
export interface VaultView {
  /** Its efficiency group, or 0. */
  group: number;
  /** Whether the group's weights count. */
  grouped: boolean;
  insolvent: boolean;
  /** What counts when something is borrowed or taken out. */
  newRisk: Valuation | Refused;
  /** What counts in a liquidation. */
  liquidation: Valuation | Refused;
  /** All positions, prices or not. */
  amounts: Held[];
  /** The same with prices. Empty when `liquidation` is refused: there are none. */
  positions: Position[];
}

/** What an action would come to. */
export interface Preview {
  /** Native units that would move. */
  amount: bigint;
  /** Why the program refuses all the same, or `null`: an error code. */
  refusal: number | null;
  /** The vault afterwards. */
  after: VaultView;
  /** Its account then, as hexadecimal digits. */
  data: string;
}

/** What a liquidation would come to. Dollars are fractions. */
export interface Liquidation {
  /** Native units of the debt that the keeper repays. */
  repay: bigint;
  /** Native units of the collateral that leave the vault, and the keeper's part of them. */
  seize: bigint;
  toKeeper: bigint;
  repaysAll: boolean;
  seizesAll: boolean;
  /** The bonus on what is repaid: a fraction. */
  bonus: bigint;
  /** Worth of the three amounts. */
  repaid: bigint;
  seized: bigint;
  received: bigint;
  /** What the keeper receives more than it pays. */
  bounty: bigint;
  /** What the owner loses beyond the debt that is repaid. */
  cost: bigint;
  before: Totals;
  /** Before what nobody will repay is written off. */
  after: Totals;
}

/** The largest amount that the program accepts. */
export interface Largest {
  amount: bigint;
  /** Why it refuses one more: an error code. */
  reason: number | null;
}

/** A reserve. Amounts in native units, the rest fractions of 60 bits. */
export interface ReserveView {
  decimals: number;
  minted: boolean;
  /** Native units that can be taken out. */
  available: bigint;
  /** Native units that suppliers and insurance own. */
  supplied: bigint;
  /** Native units of insurance, which pays bad debt first. Of the minted token: surplus that was earned and not yet minted. */
  insured: bigint;
  /** Native units that are owed. */
  borrowed: bigint;
  utilization: bigint;
  /** Yearly, without compounding. */
  borrowRate: bigint;
  /** What a debt grows by in a year at that rate. */
  borrowYield: bigint;
  /** What a supply grows by in a year at that rate and use. */
  supplyYield: bigint;
  initialHaircut: bigint;
  maintenanceHaircut: bigint;
  targetHaircut: bigint;
  /** What a dollar of it carries for new risk. */
  newRiskFactor: bigint;
  /** The same in a liquidation. */
  liquidationFactor: bigint;
  liquidationThreshold: bigint;
  /** Dollars per native unit, 96 fractional bits. */
  prices: {
    collateralNewRisk: bigint | Refused;
    debtNewRisk: bigint | Refused;
    collateralLiquidation: bigint | Refused;
    debtLiquidation: bigint | Refused;
  };
  /** What its price accounts say, in the order of the feeds. */
  feeds: (Feed | Refused)[];
}

/** What a price account says. Prices are dollars per native unit, 96 fractional bits. */
export interface Feed {
  price: bigint;
  /** Half the width of the confidence interval. */
  confidence: bigint;
  /** Seconds since it was published. */
  age: bigint;
}

/** What a parameter counts. */
export type Unit = 'native' | 'microUsd' | 'bps' | 'bpsPerHour' | 'seconds' | 'slots' | 'flag' | 'number' | 'identity';

/** A number of the parameter's unit, the hexadecimal digits of an address or a feed, or `null` for none. */
export type ParameterValue = bigint | string | null;

/** What a queued change does to one parameter. */
export interface ChangeLine {
  /** Its section and its name there, as in `limits.deposit_cap`. */
  parameter: string;
  unit: Unit;
  /** What is in force now. */
  before: ParameterValue;
  after: ParameterValue;
  /** For the protocol, that is for its suppliers. */
  meaning: 'tighter' | 'looser' | 'sideways';
  /** What vaults feel. */
  effect: 'nothing' | 'a ramp' | 'at once';
}

/** A queued change. */
export interface ChangeView {
  status: 'waiting' | 'ready' | 'expired' | 'superseded';
  /** Empty of one that is about no parameters. */
  lines: ChangeLine[];
  /** The feeds that it brings, whose price accounts its execution needs; addresses and identities in hexadecimal digits. */
  feeds: { id: string; account: string }[];
}

/** A remaining account of an instruction; the address as hexadecimal digits. */
export interface RawMeta {
  address: string;
  writable: boolean;
}

/** A request that makes no sense: a mistake of the caller's. */
interface Invalid {
  invalid: string;
  expected?: string;
}

/** Reads an answer: numbers that JSON cannot hold are text behind `0x`. */
export function readAnswer(text: string): unknown {
  const answer: unknown = JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith('0x') ? BigInt(value) : value,
  );
  if (isInvalid(answer)) {
    throw new TypeError(
      answer.expected === undefined ? answer.invalid : `${answer.invalid}: one of them is no ${answer.expected}`,
    );
  }
  return answer;
}

function isInvalid(answer: unknown): answer is Invalid {
  return typeof answer === 'object' && answer !== null && 'invalid' in answer;
}

/** What an amount is worth: dollars per native unit, 96 fractional bits. The minted token is no collateral, and owed at par. */
export function priceOf({ minted, prices }: ReserveView): bigint | Refused {
  return minted ? prices.debtLiquidation : prices.collateralLiquidation;
}

/** Whether the program would refuse. */
export function isRefused(answer: object | bigint): answer is Refused {
  return typeof answer === 'object' && 'refused' in answer;
}
