import type { AsideCall, AsideRequest, AsideResult } from "./kernel.ts";
import { THREAD_LIBRARY } from "./symbols.ts";
import { serve, type ThreadAnswer, type ThreadRequest } from "./thread_main.ts";

const SCRIPT = `(${serve.toString()})()`;

/** What the thread stores as a result when it could not make the call. */
const FAILED = 1 - 2 ** 31;

/** A call that a thread is making, and who waits for it. */
interface Call {
  readonly number: number;
  /** Nobody may give back, before the call is done, what the kernel reads or writes. */
  readonly owners: readonly unknown[];
  readonly settle: (result: AsideResult) => void;
  readonly fail: (reason: Error) => void;
}

/** A thread with a libc and an errno of its own that makes one ioctl at a time. */
export class IoctlThread implements Disposable {
  readonly #worker: Worker;
  readonly #state = new SharedArrayBuffer(16);
  readonly #numbers = new Int32Array(this.#state);
  readonly #onIdle: (thread: IoctlThread) => void;
  #number = 0;
  #call: Call | undefined;

  /**
   * Starts the thread.
   *
   * @param onIdle Called when a call is done.
   */
  constructor(onIdle: (thread: IoctlThread) => void) {
    this.#onIdle = onIdle;
    const url = URL.createObjectURL(new Blob([SCRIPT], { type: "text/javascript" }));
    this.#worker = new Worker(url, { type: "module" });
    URL.revokeObjectURL(url);
    this.#worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>): void => this.#answered(data);
    this.#worker.onerror = (event): void => {
      event.preventDefault();
      this.#died(event.message);
    };
  }

  /** Makes an ioctl; the one before must be done. */
  call({ fd, request, argument, clear }: AsideRequest): AsideCall {
    const number = this.#number += 1;
    const { promise, resolve, reject } = Promise.withResolvers<AsideResult>();
    promise.catch(() => {}); // who waits on the spot learns of it there
    const pointer = clear.byteLength === 0 ? null : Deno.UnsafePointer.of(clear);
    this.#call = { number, owners: [argument, clear, pointer], settle: resolve, fail: reject };
    const message: ThreadRequest = {
      library: THREAD_LIBRARY,
      state: this.#state,
      number,
      fd,
      request,
      argument: argument.slice(),
      address: Deno.UnsafePointer.value(pointer),
      size: BigInt(clear.byteLength),
    };
    this.#worker.postMessage(message);
    return { done: promise, wait: () => this.#wait(number) };
  }

  /** Fails the call for those who wait on the spot, too; there will be no other. */
  #died(message: string): void {
    const call = this.#call;
    this.#call = undefined;
    this.#numbers[1] = FAILED;
    Atomics.store(this.#numbers, 0, this.#number);
    call?.fail(failed(`it ended: ${message}`));
  }

  #answered({ number, failure }: ThreadAnswer): void {
    if (number === this.#call?.number) this.#done(failure);
  }

  /** The result as it stands in the shared state. */
  #result(): AsideResult {
    return {
      result: this.#numbers[1]!,
      milliseconds: new Float64Array(this.#state)[1]!,
    };
  }

  #done(failure: string | undefined): void {
    const call = this.#call;
    this.#call = undefined;
    if (failure !== undefined) call?.fail(failed(failure));
    else call?.settle(this.#result());
    this.#onIdle(this);
  }

  #wait(number: number): AsideResult {
    for (let at; (at = Atomics.load(this.#numbers, 0)) < number;) {
      Atomics.wait(this.#numbers, 0, at);
    }
    const result = this.#result();
    const failure = result.result === FAILED ? "it could not make the call" : undefined;
    if (this.#call?.number === number) this.#done(failure);
    if (failure !== undefined) throw failed(failure);
    return result;
  }

  /** Ends the thread; a call that is stuck in the kernel goes on there until the process ends. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

function failed(reason: string): Error {
  return new Error(`The thread for long calls has failed: ${reason}`);
}

/** How long a thread waits for another call, in milliseconds. */
const IDLE = 1000;

/** Threads for ioctls that take long: one for each that is under way. */
export class ThreadPool implements Disposable {
  readonly #idle: IoctlThread[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes an ioctl in a thread that has nothing to do, or in a new one. */
  call(request: AsideRequest): AsideCall {
    clearTimeout(this.#timer);
    const thread = this.#idle.pop() ?? new IoctlThread((idle) => this.#rest(idle));
    return thread.call(request);
  }

  /** A thread keeps the process alive, so it ends some time after its last call. */
  #rest(thread: IoctlThread): void {
    this.#idle.push(thread);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this[Symbol.dispose](), IDLE);
  }

  /** Ends the threads that have nothing to do. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const thread of this.#idle.splice(0)) thread[Symbol.dispose]();
  }
}
