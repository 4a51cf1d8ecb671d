/** Requests to a node that end: in an answer, or in an error after a while. */
import { createDefaultRpcTransport, createSolanaRpcFromTransport, type Rpc, type SolanaRpcApi } from '@solana/kit';

/** A node that has not answered by then will not. */
const PATIENCE_MILLISECONDS = 10_000;

export function connect(url: string): Rpc<SolanaRpcApi> {
  const transport = createDefaultRpcTransport({ url });
  const impatient = ((request) => {
    const limit = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    return transport({ ...request, signal: request.signal ? AbortSignal.any([request.signal, limit]) : limit });
  }) as typeof transport;
  return createSolanaRpcFromTransport(impatient);
}
