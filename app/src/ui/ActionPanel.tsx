import type { Address } from '@solana/kit';
import { useEffect, useId, useRef, useState } from 'react';
import { wordsOf } from '../chain/errors';
import { spendable } from '../chain/state';
import { decimalToUnits, unitsToDecimal } from '../fixed';
import * as format from '../format';
import { isRefused, type Action, type Amount, type Preview, type VaultView } from '../risk';
import { Arrow } from './Arrow';
import type { WayOut } from './Danger';
import { Review } from './Review';
import { limitUsedText } from './Summary';
import { useTransaction } from './useTransaction';
import type { OpenVault } from './VaultPage';

const ACTIONS: readonly { action: Action; name: string; done: string }[] = [
  { action: 'deposit', name: 'Deposit', done: 'Deposited.' },
  { action: 'withdraw', name: 'Withdraw', done: 'Withdrawn.' },
  { action: 'borrow', name: 'Borrow', done: 'Borrowed.' },
  { action: 'repay', name: 'Repay', done: 'Repaid.' },
];

/** An amount has 64 bits. */
const MOST_UNITS = 2n ** 64n - 1n;

/** The numbers of the reserves that an action is possible with. */
function choicesOf({ view, reserves }: OpenVault, action: Action): number[] {
  const side = new Map(view.amounts.map((held) => [held.reserve, held.side]));
  const isChoice = (i: number): boolean => {
    switch (action) {
      case 'deposit':
        return reserves[i]?.minted === false && side.get(i) !== 'debt';
      case 'withdraw':
        return side.get(i) === 'collateral';
      case 'borrow':
        return side.get(i) !== 'collateral';
      case 'repay':
        return side.get(i) === 'debt';
    }
  };
  return reserves.map((_, i) => i).filter(isChoice);
}

/** What was typed last, and for which vault: it is still there when a wallet was locked and comes back. */
let draft: { vault: Address; action: Action; chosen: number | undefined; text: string; isAll: boolean } | undefined;

/** `filled` is what it begins with: with another key, it begins anew. */
export function ActionPanel({ vault, filled }: { vault: OpenVault; filled: WayOut | undefined }) {
  const [begun] = useState(() => (draft?.vault === vault.raw.address && filled === undefined ? draft : undefined));
  const [action, setAction] = useState<Action>(filled?.action ?? begun?.action ?? 'deposit');
  const [chosen, setChosen] = useState(filled?.reserve ?? begun?.chosen);
  const [text, setText] = useState(
    filled === undefined
      ? (begun?.text ?? '')
      : unitsToDecimal(filled.amount, vault.reserves[filled.reserve]?.decimals ?? 0),
  );
  const [isAll, setAll] = useState(begun?.isAll ?? false);
  useEffect(() => {
    draft = { vault: vault.raw.address, action, chosen, text, isAll };
  });
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (filled !== undefined) {
      field.current?.focus();
    }
  }, [filled]);
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const ids = { asset: useId(), amount: useId(), help: useId(), problem: useId() };

  const { risk, state, holdings, raw } = vault;
  const choices = choicesOf(vault, action);
  const number = chosen !== undefined && choices.includes(chosen) ? chosen : choices[0];
  const listing = number === undefined ? undefined : state.listings[number];
  const decimals = listing?.reserve.decimals ?? 0;
  const held = number === undefined ? 0n : (holdings.tokens[number] ?? 0n);
  const position = vault.view.amounts.find(({ reserve }) => reserve === number);
  const typed = decimalToUnits(text, decimals);
  const exact = typed !== undefined && typed <= MOST_UNITS ? typed : undefined;
  const amount: Amount | undefined = isAll ? 'all' : exact;
  const preview =
    listing === undefined || amount === undefined
      ? undefined
      : risk.preview(state.snapshot, state.moment, raw, listing.address, action, amount);
  const isBusy = progress.at === 'simulating' || progress.at === 'signing' || progress.at === 'confirming';
  const isReview = progress.at === 'review';

  const clear = () => {
    setText('');
    setAll(false);
    reset();
  };
  const fillMost = () => {
    if (listing === undefined) {
      return;
    }
    reset();
    const { amount: largest } = risk.largest(state.snapshot, state.moment, raw, listing.address, action);
    if (action === 'repay' || (action === 'withdraw' && position !== undefined && largest >= position.amount)) {
      setAll(true);
      setText(unitsToDecimal(position?.amount ?? 0n, decimals));
      return;
    }
    const inWallet = number === undefined ? 0n : spendable(holdings, state.listings, number);
    const most = action === 'deposit' && inWallet < largest ? inWallet : largest;
    setAll(false);
    setText(unitsToDecimal(most, decimals));
  };
  const problem = problemOf({ text, typed, isAll, decimals, symbol: listing?.symbol ?? '', preview, action, held });
  const name = ACTIONS.find((one) => one.action === action);

  return (
    <section className="card panel" aria-labelledby="action-title">
      <h2 id="action-title">Move funds</h2>
      <fieldset className="tabs" disabled={isBusy}>
        <legend className="unseen">Action</legend>
        {ACTIONS.map((one) => (
          <label key={one.action}>
            <input
              type="radio"
              name="action"
              className="unseen"
              checked={action === one.action}
              onChange={() => {
                setAction(one.action);
                setChosen(undefined);
                clear();
              }}
            />
            <span>{one.name}</span>
          </label>
        ))}
      </fieldset>
      {listing === undefined ? (
        <p className="empty">{action === 'repay' ? 'Nothing is owed.' : 'There is nothing to withdraw.'}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (number !== undefined && amount !== undefined && problem === undefined) {
              void review({ kind: 'act', action, reserve: number, amount });
            }
          }}
        >
          <div className="field">
            <label htmlFor={ids.asset}>Asset</label>
            <select
              id={ids.asset}
              value={number}
              disabled={isBusy || isReview}
              onChange={(event) => {
                setChosen(Number(event.target.value));
                clear();
              }}
            >
              {choices.map((i) => (
                <option key={i} value={i}>
                  {state.listings[i]?.symbol}
                </option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor={ids.amount}>Amount</label>
            <div className="amount">
              <input
                ref={field}
                id={ids.amount}
                inputMode="decimal"
                autoComplete="off"
                placeholder="0"
                value={isAll ? 'All' : text}
                readOnly={isAll}
                disabled={isBusy || isReview}
                aria-describedby={`${ids.help} ${ids.problem}`}
                aria-invalid={problem !== undefined}
                onChange={(event) => {
                  setText(event.target.value);
                  reset();
                }}
              />
              <button
                type="button"
                className="quiet"
                disabled={isBusy || isReview}
                onClick={() => {
                  if (isAll) {
                    clear();
                  } else {
                    fillMost();
                  }
                }}
              >
                {isAll ? 'Clear' : action === 'repay' ? 'All' : 'Max'}
              </button>
            </div>
            <p id={ids.help} className="small">
              {(action === 'repay' || action === 'withdraw') && position !== undefined
                ? `${action === 'repay' ? 'Owed' : 'In the vault'}: ${format.amount(position.amount, decimals)} ${listing.symbol}. `
                : ''}
              In the wallet: {format.amount(held, decimals)} {listing.symbol}
            </p>
          </div>
          <p id={ids.problem} className="field-problem" role="alert">
            {problem}
          </p>
          <Outcome
            vault={vault}
            preview={preview}
            number={number}
            decimals={decimals}
            isDebt={action === 'borrow' || action === 'repay'}
          />
          {!isReview && (
            <button type="submit" className="wide" disabled={isOff || amount === undefined || problem !== undefined}>
              Review
            </button>
          )}
        </form>
      )}
      <Review
        progress={progress}
        summary={
          preview !== undefined && !isRefused(preview) && listing !== undefined ? (
            <p>
              <strong>
                {name?.name} {isAll ? 'all: ' : ''}
                {format.amount(preview.amount, decimals)} {listing.symbol}
              </strong>
              {preview.refusal === null && ', with the vault as above afterwards.'}
            </p>
          ) : null
        }
        onConfirm={() =>
          void confirm(name?.done ?? '').then((isDone) => {
            if (isDone) {
              setText('');
              setAll(false);
            }
          })
        }
        onCancel={reset}
      />
    </section>
  );
}

/** Why what was typed is not possible, if so. */
function problemOf(entry: {
  text: string;
  typed: bigint | undefined;
  isAll: boolean;
  decimals: number;
  symbol: string;
  preview: ReturnType<OpenVault['risk']['preview']> | undefined;
  action: Action;
  held: bigint;
}): string | undefined {
  const { text, typed, isAll, decimals, symbol, preview, action, held } = entry;
  if (text === '' && !isAll) {
    return undefined;
  }
  if (typed === undefined && !isAll) {
    return `Write a number such as 1.5: a point, nothing between the digits, and at most ${decimals.toString()} behind it.`;
  }
  if (typed !== undefined && typed > MOST_UNITS && !isAll) {
    return `There cannot be that much ${symbol}.`;
  }
  if (preview === undefined) {
    return undefined;
  }
  const code = isRefused(preview) ? preview.refused : preview.refusal;
  if (code !== null) {
    return wordsOf(code);
  }
  const comesIn = action === 'deposit' || action === 'repay';
  if (comesIn && !isRefused(preview) && preview.amount > held) {
    return `The wallet holds less than that: ${format.amount(held, decimals)} ${symbol}.`;
  }
  return undefined;
}

/** The vault before and after. Where nothing is typed yet, both are as now: nothing jumps. */
function Outcome({
  vault,
  preview,
  number,
  decimals,
  isDebt,
}: {
  vault: OpenVault;
  preview: Preview | { refused: number } | undefined;
  number: number | undefined;
  decimals: number;
  isDebt: boolean;
}) {
  const after = preview === undefined || isRefused(preview) ? undefined : preview.after;
  const change = (read: (view: VaultView) => string) => {
    const [now, then] = [read(vault.view), after && read(after)];
    return then === undefined || then === now ? (
      now
    ) : (
      <>
        {now} <Arrow /> <strong>{then}</strong>
      </>
    );
  };
  const health = ({ liquidation }: VaultView) =>
    isRefused(liquidation) ? 'No price' : format.health(liquidation.health);
  const inVault = (view: VaultView) =>
    format.shortAmount(
      view.amounts.find(({ reserve }) => reserve === number)?.amount ?? 0n,
      decimals,
      isDebt ? 'ceil' : 'floor',
    );
  return (
    <dl className="facts outcome">
      <div>
        <dt>{isDebt ? 'Owed' : 'In the vault'}</dt>
        <dd>{change(inVault)}</dd>
      </div>
      <div>
        <dt>Health factor</dt>
        <dd>{change(health)}</dd>
      </div>
      <div>
        <dt>Limit used</dt>
        <dd>{change(limitUsedText)}</dd>
      </div>
    </dl>
  );
}
