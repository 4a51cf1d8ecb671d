import { isOffCurveAddress, type Address } from '@solana/kit';
import * as format from '../format';
import { Role, type Market } from '../generated';
import {
  PAUSE_BORROW,
  PAUSE_DEPOSIT,
  PAUSE_FLASH,
  PAUSE_LIQUIDATE,
  PAUSE_REDEEM,
  PAUSE_REPAY,
  PAUSE_SWAP,
  PAUSE_TOP_UP,
  PAUSE_WITHDRAW,
} from '../generated/constants';
import { useSession } from '../session';
import { UNSET } from '../snapshot';
import { Copy } from './Copy';
import { Review } from './Review';
import { useTransaction } from './useTransaction';

const ROLES: readonly { role: Role; name: string; may: string; of: (market: Market) => Address }[] = [
  {
    role: Role.Governance,
    name: 'Governance',
    may: 'announces changes, tightens, pauses, vetoes',
    of: (market) => market.governance,
  },
  {
    role: Role.Guardian,
    name: 'Guardian',
    may: 'pauses for up to 3 days, tightens, vetoes',
    of: (market) => market.guardian,
  },
  {
    role: Role.RiskSteward,
    name: 'Risk steward',
    may: 'tightens, moves parameters by small steps',
    of: (market) => market.riskSteward,
  },
];

const PAUSES: readonly [number, string][] = [
  [PAUSE_DEPOSIT, 'deposits'],
  [PAUSE_WITHDRAW, 'withdrawals'],
  [PAUSE_BORROW, 'loans'],
  [PAUSE_SWAP, 'the swap of the market’s token'],
  [PAUSE_REDEEM, 'redemptions'],
  [PAUSE_FLASH, 'flash loans'],
  [PAUSE_TOP_UP, 'deposits to vaults in debt'],
  [PAUSE_REPAY, 'repayments'],
  [PAUSE_LIQUIDATE, 'liquidations'],
];

/** What the bits of a pause stop, in words. */
export function pausedText(bits: number): string {
  return format.listed(PAUSES.filter(([bit]) => (bits & bit) !== 0).map(([, words]) => words));
}

/** Who decides, how long they have to wait, and what is paused. */
export function GovernanceRoles({ market, now }: { market: Market | undefined; now: bigint | undefined }) {
  const { wallet } = useSession();
  if (market === undefined || now === undefined) {
    return (
      <section className="card waiting-roles" aria-busy="true">
        Loading…
      </section>
    );
  }
  const pauses = [
    { by: 'Governance', bits: market.paused, until: market.pausedUntil },
    { by: 'The guardian', bits: market.guardianPaused, until: market.guardianPausedUntil },
  ].filter(({ bits, until }) => bits !== 0 && now < until);
  const areOwnersFirst = now < market.takesFrom;
  return (
    <section className="card roles" aria-labelledby="roles-title">
      <h2 id="roles-title">Who decides</h2>
      <dl>
        {ROLES.map(({ role, name, may, of }) => {
          const holder = of(market);
          // In the order of the roles.
          const offer = market.offers[role];
          const isOffered = offer !== undefined && offer.to !== UNSET && now <= offer.until;
          return (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {holder === UNSET ? 'Nobody' : <Holder address={holder} name={name} />}
                <p className="small">
                  {may}
                  {isOffered && (
                    <>
                      . Offered to <Copy text={offer.to} what={`address that is offered to be ${name.toLowerCase()}`} />
                      , who has {format.duration(offer.until - now)} to accept
                    </>
                  )}
                </p>
                <Acceptance
                  role={role}
                  name={name}
                  may={may}
                  holder={holder}
                  isMine={isOffered && offer.to === wallet?.address}
                />
              </dd>
            </div>
          );
        })}
        <div>
          <dt>Notice</dt>
          <dd>
            {market.delay === 0 ? 'None: the market is being set up' : format.duration(BigInt(market.delay))}
            <p className="small">then {format.duration(BigInt(market.window))} in which a change can be executed</p>
          </dd>
        </div>
        <div>
          <dt>Paused</dt>
          <dd>
            {pauses.length === 0 && !areOwnersFirst && 'Nothing'}
            {pauses.map(({ by, bits, until }) => (
              <p key={by}>
                {by} has paused {pausedText(bits)}, for {format.duration(until - now)} from now.
              </p>
            ))}
            {areOwnersFirst && (
              <p>
                For {format.duration(market.takesFrom - now)} from now nobody is liquidated or redeemed from: owners
                come first after a pause of what they save their vaults with.
              </p>
            )}
            <p className="small">A pause ends by itself. Repaying and liquidating are paused last.</p>
          </dd>
        </div>
      </dl>
      <p className="small">
        Each role is an address that signs. A DAO or a multisig has an address that no key signs for: its members vote,
        and its program signs.
      </p>
    </section>
  );
}

/** A role that is offered to the wallet is accepted here. */
function Acceptance({
  role,
  name,
  may,
  holder,
  isMine,
}: {
  role: Role;
  name: string;
  may: string;
  holder: Address;
  isMine: boolean;
}) {
  const { holdings } = useSession();
  const { progress, review, confirm, reset, isOff } = useTransaction();
  const isOpen = progress.at === 'idle' || progress.at === 'failed';
  if (!isMine && isOpen) {
    return null;
  }
  return (
    <>
      {isOpen && (
        <p className="acts">
          <strong>It is offered to you.</strong>
          <button
            type="button"
            disabled={isOff || holdings === undefined}
            onClick={() => void review({ kind: 'acceptRole', role })}
          >
            Accept<span className="unseen"> the role: {name}</span>
          </button>
        </p>
      )}
      <Review
        progress={progress}
        summary={
          <p>
            Your wallet becomes {name.toLowerCase()} at once, which {may}.
            {holder !== UNSET && ` ${format.short(holder)} is not any more.`}
          </p>
        }
        onConfirm={() => void confirm(`The role is yours: ${name}.`)}
        onCancel={reset}
      />
    </>
  );
}

function Holder({ address, name }: { address: Address; name: string }) {
  return (
    <span className="holder">
      <Copy text={address} what={`address of ${name.toLowerCase()}`} />
      <span className="small">{isOffCurveAddress(address) ? 'a program: a DAO or a multisig' : 'a key'}</span>
    </span>
  );
}
