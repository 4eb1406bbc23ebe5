import type { AsideCall, AsideRequest, AsideResult } from "../../mod.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import { asideHere } from "../../lib/sys/aside_here.ts";

/** A model whose long calls are made when the test says so, or somebody waits for them. */
export class LateKernel extends ModelKernel {
  /** Long calls that were begun. */
  begun = 0;
  /** Long calls for which somebody waited on the spot. */
  waited = 0;
  #isLate = true;
  #make: (() => void) | undefined;

  /** Whether a call is under way. */
  get isBusy(): boolean {
    return this.#make !== undefined;
  }

  /** Makes the call that is under way. */
  finish(): void {
    this.#make?.();
  }

  /** Makes the call that is under way, and each one from now on at once. */
  hurry(): this {
    this.#isLate = false;
    this.finish();
    return this;
  }

  override ioctlAside(request: AsideRequest): AsideCall {
    this.begun += 1;
    const argument = request.argument.slice();
    const { promise, resolve } = Promise.withResolvers<AsideResult>();
    let result: AsideResult | undefined;
    const make = (): AsideResult => {
      this.#make = undefined;
      result ??= asideHere(this, { ...request, argument }).wait();
      resolve(result);
      return result;
    };
    if (this.#isLate) this.#make = make;
    else make();
    const wait = (): AsideResult => {
      if (result === undefined) this.waited += 1;
      return make();
    };
    return { done: promise, wait };
  }
}
