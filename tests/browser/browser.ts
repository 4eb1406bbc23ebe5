/**
 * A real browser without a window, driven by the DevTools protocol.
 *
 * @module
 */

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** What to do where there is none. */
export const MISSING = "no browser is installed: apt-get install --no-install-recommends chromium";

/** The path of a browser that is installed; undefined where there is none. */
export function findBrowser(): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of NAMES) {
      try {
        if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
      } catch (error) {
        if (
          !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)
        ) {
          throw error;
        }
      }
    }
  }
  return undefined;
}

/** An answer, or an event, of the protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** Bytes of a stream as text, up to where `found` is seen. */
async function readUntil(stream: ReadableStream<Uint8Array>, found: RegExp): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: true });
    const match = found.exec(text);
    if (match !== null) {
      // The rest is read too, so that the browser never waits for it.
      (async () => {
        while (!(await reader.read()).done);
      })().catch(() => {});
      return match[1] ?? "";
    }
    if (done) throw new Error(`The browser ended: ${text}`);
  }
}

/** A browser, with one page open in it. */
export class Browser implements AsyncDisposable {
  /** What went wrong in the page, and what it tried to load besides itself. */
  readonly problems: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #next = 0;
  #session = "";
  #loaded: (() => void) | undefined;

  private constructor(child: Deno.ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.onmessage = ({ data }): void => this.#take(JSON.parse(data as string) as Message);
  }

  /** Starts a browser with a profile of its own. */
  static async start(path: string): Promise<Browser> {
    const folder = Deno.makeTempDirSync({ prefix: "browser-" });
    const child = new Deno.Command(path, {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--remote-debugging-port=0",
        `--user-data-dir=${folder}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const address = await readUntil(child.stderr, /DevTools listening on (ws:\S+)/);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const browser = new Browser(child, folder, socket);
    await browser.#open();
    return browser;
  }

  async #open(): Promise<void> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const attached = await this.send("Target.attachToTarget", { targetId, flatten: true });
    this.#session = String(attached.sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await this.send(`${domain}.enable`);
  }

  #take({ id, method, params, result, error }: Message): void {
    if (id !== undefined) {
      this.#waiting.get(id)?.({ ...(result && { result }), ...(error && { error }) });
      this.#waiting.delete(id);
    } else if (method === "Page.loadEventFired") this.#loaded?.();
    else if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded") {
      this.problems.push(JSON.stringify(params));
    } else if (method === "Network.requestWillBeSent") {
      const { url } = params?.request as { url: string };
      if (!url.startsWith("file:")) this.problems.push(`asked for ${url}`);
    }
  }

  /** Sends a command; gives its result. */
  async send(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = this.#next += 1;
    const session = this.#session === "" ? {} : { sessionId: this.#session };
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await promise;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** Opens a file, and waits until it is there. */
  async open(path: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#loaded = resolve;
    await this.send("Page.navigate", { url: `file://${path}` });
    await promise;
  }

  /** The value of an expression in the page. */
  async value(expression: string): Promise<unknown> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    if (answer.exceptionDetails !== undefined) {
      throw new Error(JSON.stringify(answer.exceptionDetails));
    }
    return (answer.result as { value?: unknown }).value;
  }

  /** Moves the pointer to a place of the window, and presses there if told to. */
  async pointer(x: number, y: number, press: boolean = false): Promise<void> {
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
    if (!press) return;
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** What the page looks like, all of it, as a PNG file. */
  async picture(scheme: "light" | "dark", width = 1000): Promise<Uint8Array> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
    const metrics = { width, height: 800, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const { data } = await this.send("Page.captureScreenshot", { captureBeyondViewport: true });
    return Uint8Array.from(atob(String(data)), (c) => c.charCodeAt(0));
  }

  /** Ends the browser. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#session = "";
    await this.send("Browser.close");
    await closed;
    await this.#child.status;
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
