/**
 * Waiting that an abort ends.
 *
 * @module
 */

/**
 * Waits for something, or for an abort.
 *
 * @throws The reason of the signal, as soon as it aborts; what was waited for goes on.
 */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Waits some milliseconds; 0 lets other things happen and goes on.
 *
 * @throws The reason of the signal, as soon as it aborts.
 */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  try {
    await orAbort(promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
