/** What went wrong, in words for people. */
import { isSolanaError, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM, unwrapSimulationError } from '@solana/kit';
import { getKeelErrorMessage, type KeelError } from '../generated';

/** The first of the program's own codes; smaller ones are Anchor's or another program's. */
const FIRST_CODE = 6000;
/** Of the token program and the system program alike: there is less than was to be moved. */
const INSUFFICIENT_FUNDS = 1;

/** The program's words for its error code. */
export function wordsOf(code: number): string {
  const words = code >= FIRST_CODE ? (getKeelErrorMessage(code as KeelError) as string | undefined) : undefined;
  if (words !== undefined) {
    return `${words}.`;
  }
  return code === INSUFFICIENT_FUNDS
    ? 'The wallet holds less than that.'
    : `A program refused with the code ${code.toString()}, which this app does not know.`;
}

/** What failed, whatever was thrown. */
export function explain(error: unknown): string {
  const cause = unwrapSimulationError(error);
  if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) {
    return wordsOf(cause.context.code);
  }
  if (error instanceof TypeError && error.message.includes('fetch')) {
    return 'The chain does not answer. Check the connection, and try again.';
  }
  return cause instanceof Error ? cause.message : String(cause);
}

/** What a simulation or a transaction's status says: `{ InstructionError: [0, { Custom: 6016 }] }` or other shapes. */
export function explainTransaction(error: unknown): string {
  const custom = customCode(error);
  if (custom !== undefined) {
    return wordsOf(custom);
  }
  const text =
    typeof error === 'string'
      ? error
      : JSON.stringify(error, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v));
  if (
    text.includes('InsufficientFundsForRent') ||
    text.includes('InsufficientFundsForFee') ||
    text.includes('AccountNotFound')
  ) {
    return 'The wallet has too little SOL for the fee and the deposit of new accounts.';
  }
  return `The chain refused: ${text}.`;
}

function customCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('InstructionError' in error)) {
    return undefined;
  }
  const detail = Array.isArray(error.InstructionError) ? (error.InstructionError as unknown[])[1] : undefined;
  if (typeof detail !== 'object' || detail === null || !('Custom' in detail)) {
    return undefined;
  }
  return Number(detail.Custom);
}
