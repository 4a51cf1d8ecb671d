/** What went wrong, in words for people. */
import {
  isSolanaError,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR,
  SOLANA_ERROR__TRANSACTION_ERROR__ACCOUNT_NOT_FOUND,
  SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND,
  SOLANA_ERROR__TRANSACTION_ERROR__INSUFFICIENT_FUNDS_FOR_FEE,
  SOLANA_ERROR__TRANSACTION_ERROR__INSUFFICIENT_FUNDS_FOR_RENT,
  unwrapSimulationError,
} from '@solana/kit';
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

const TOO_LITTLE_SOL = 'The wallet has too little SOL for the fee and the deposit of new accounts.';
const TOO_OLD = 'It took too long until it was signed, and the chain does not take it any more. Review it again.';

/** What failed, whatever was thrown. */
export function explain(error: unknown): string {
  const cause = unwrapSimulationError(error);
  if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) {
    return wordsOf(cause.context.code);
  }
  if (isSolanaError(cause, SOLANA_ERROR__RPC__TRANSPORT_HTTP_ERROR)) {
    return `The chain's node cannot answer at the moment (HTTP ${cause.context.statusCode.toString()}).`;
  }
  if (isSolanaError(cause, SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND)) {
    return TOO_OLD;
  }
  if (
    isSolanaError(cause, SOLANA_ERROR__TRANSACTION_ERROR__ACCOUNT_NOT_FOUND) ||
    isSolanaError(cause, SOLANA_ERROR__TRANSACTION_ERROR__INSUFFICIENT_FUNDS_FOR_FEE) ||
    isSolanaError(cause, SOLANA_ERROR__TRANSACTION_ERROR__INSUFFICIENT_FUNDS_FOR_RENT)
  ) {
    return TOO_LITTLE_SOL;
  }
  if (isSolanaError(cause)) {
    return `The chain refused: ${cause.message}`;
  }
  if (error instanceof SyntaxError) {
    return 'What answers is not what this app expects. Is there a page to log in to the network?';
  }
  if (error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')) {
    return 'The chain does not answer in time.';
  }
  // Browsers differ in the text.
  if (error instanceof TypeError && /^(Failed to fetch|Load failed|NetworkError)/.test(error.message)) {
    return 'The chain does not answer. Check the connection.';
  }
  return sentence(cause instanceof Error ? cause.message : String(cause));
}

/** With a capital at its beginning and a point at its end. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}`;
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
    return TOO_LITTLE_SOL;
  }
  return text.includes('BlockhashNotFound') ? TOO_OLD : `The chain refused: ${text}.`;
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
