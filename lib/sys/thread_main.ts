/** The functions of a library that a thread opens for itself. */
export interface ThreadLibrary {
  readonly name: string;
  readonly symbols: Deno.ForeignLibraryInterface;
}

/** What a thread is told to do. */
export interface ThreadRequest {
  readonly library: ThreadLibrary;
  /** What the thread and its owner share: see {@link ThreadState}. */
  readonly state: SharedArrayBuffer;
  readonly number: number;
  readonly fd: number;
  readonly request: number;
  readonly argument: Uint8Array<ArrayBuffer>;
  /** Memory to zero before. */
  readonly address: bigint;
  readonly size: bigint;
}

/** What a thread answers; the same stands in the shared state, for an owner who waits. */
export interface ThreadAnswer {
  readonly number: number;
  /** Why the thread could not make the call, if it could not. */
  readonly failure: string | undefined;
}

/** What `self` is in a worker. */
interface WorkerScope {
  onmessage: (event: MessageEvent<ThreadRequest>) => void;
  postMessage(answer: ThreadAnswer): void;
}

/**
 * What runs in a thread for long ioctls. Its text becomes the worker's script, because a worker's file
 * would need a permission and could not be loaded from a package offline: so it uses nothing from
 * outside of itself.
 *
 * The shared state is a number of the last call that is done, its result (both 32 bits), and the
 * milliseconds that it took (a double).
 */
export function serve(): void {
  // deno-lint-ignore no-explicit-any -- the functions are those of the table that comes along
  let f: any;
  let errno = new Int32Array(1);
  const open = ({ name, symbols }: ThreadLibrary): void => {
    const library = Deno.dlopen(name, symbols);
    f = library.symbols;
    const location = f.__errno_location();
    errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  };
  const call = (fd: number, request: number, argument: Uint8Array): number => {
    const r = f.ioctlBuffer(fd, request, argument);
    return r === -1 ? -errno[0]! : r; // nothing between: errno belongs to this thread's last call
  };
  const scope = self as unknown as WorkerScope;
  scope.onmessage = ({ data }): void => {
    const { library, state, number, fd, request, argument, address, size } = data;
    const numbers = new Int32Array(state);
    let failure: string | undefined;
    try {
      if (f === undefined) open(library);
      f.memset(address, 0, size);
      const start = performance.now();
      numbers[1] = call(fd, request, argument);
      new Float64Array(state)[1] = performance.now() - start;
    } catch (error) {
      failure = String(error);
      numbers[1] = 1 - 2 ** 31;
    }
    Atomics.store(numbers, 0, number);
    Atomics.notify(numbers, 0);
    scope.postMessage({ number, failure });
  };
}
