import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const CHROMIUM = "/usr/bin/chromium";
export const HAS_CHROMIUM = existsSync(CHROMIUM);

type Answer = Record<string, unknown>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Answer;
  readonly result?: Answer;
  readonly error?: { readonly message: string };
}

/** Chromium, driven through its pipe (https://chromedevtools.github.io/devtools-protocol/): no port is open, and nothing is installed. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #home: string;
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  readonly #pages = new Map<string, Page>();
  #last = 0;

  constructor() {
    this.#home = mkdtempSync(join(tmpdir(), "plastron-browser-"));
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--force-color-profile=srgb"];
    this.#process = spawn(CHROMIUM, [...flags, `--user-data-dir=${this.#home}`, "--remote-debugging-pipe", "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    let left = "";
    (this.#process.stdio[4] as Readable).setEncoding("utf8").on("data", (chunk: string) => {
      const messages = (left + chunk).split("\0");
      left = messages.pop() as string;
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
    this.#process.once("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the browser ended"));
    });
  }

  async open(address: string, width = 1400, height = 1000): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId as string);
    this.#pages.set(sessionId as string, page);
    await page.begin(address, width, height);
    return page;
  }

  send(method: string, params: Answer = {}, sessionId?: string): Promise<Answer> {
    const id = ++this.#last;
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #take({ id, method, sessionId, params = {}, result, error }: Message): void {
    if (id === undefined) this.#pages.get(sessionId ?? "")?.heard(method as string, params);
    else if (error) this.#waiting.get(id)?.reject(new Error(error.message));
    else this.#waiting.get(id)?.resolve(result ?? {});
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
    await gone;
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

export class Page {
  readonly #asked = new Map<string, string>();
  /** What the console calls an error: exceptions, refused scripts and styles. */
  readonly errors: string[] = [];
  readonly #browser: Browser;
  readonly #session: string;
  #loaded = () => {};

  constructor(browser: Browser, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  async begin(address: string, width: number, height: number): Promise<void> {
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await this.#send(`${domain}.enable`);
    await this.resize(width, height);
    const loaded = new Promise<void>((resolve) => {
      this.#loaded = resolve;
    });
    await this.#send("Page.navigate", { url: address });
    await loaded;
  }

  heard(method: string, params: Answer): void {
    if (method === "Page.loadEventFired") this.#loaded();
    else if (method === "Network.requestWillBeSent") this.#asked.set(params.requestId as string, (params.request as { url: string }).url);
    else if (method === "Network.loadingFailed" && params.blockedReason === "csp") this.#asked.delete(params.requestId as string);
    else if (method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(params));
    else if (method === "Log.entryAdded" && (params.entry as Answer).level === "error") this.errors.push(String((params.entry as Answer).text));
  }

  /** Addresses that the page asked for, itself included, and its own policy let it. */
  get requests(): string[] {
    return [...this.#asked.values()];
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
  }

  media(media: string): Promise<unknown> {
    return this.#send("Emulation.setEmulatedMedia", { media });
  }

  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return (answer.result as { value: T }).value;
  }

  /** Waits, frame by frame, until it holds in the page. */
  async until(condition: string): Promise<void> {
    const held = await this.evaluate<boolean>(
      `new Promise((done) => { const end = Date.now() + 30000; (function look() { if (${condition}) done(true); else if (Date.now() > end) done(false); else requestAnimationFrame(look); })(); })`,
    );
    if (!held) throw new Error(`never: ${condition}`);
  }

  /** A click of the mouse in the middle of it, as a person makes it: what lies above gets it instead. */
  async click(selector: string): Promise<void> {
    const place = `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return {x: r.x + Math.min(r.width / 2, 300), y: r.y + Math.min(r.height / 2, 15)}; })()`;
    const { x, y } = await this.evaluate<{ x: number; y: number }>(place);
    for (const type of ["mousePressed", "mouseReleased"]) await this.#send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  }

  async press(key: string): Promise<void> {
    const text = key.length === 1 ? { text: key } : key === "Enter" ? { text: "\r" } : {};
    const code = { Tab: 9, Enter: 13, Escape: 27 }[key] ?? key.toUpperCase().charCodeAt(0);
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", key, windowsVirtualKeyCode: code, ...text });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", key, windowsVirtualKeyCode: code });
  }

  async type(text: string): Promise<void> {
    for (const key of text) await this.press(key);
  }

  /** As a PNG; `whole`: all of the page and not what is in view. */
  async picture(whole = false): Promise<Buffer> {
    const { data } = await this.#send("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole });
    return Buffer.from(data as string, "base64");
  }

  async pdf(): Promise<Buffer> {
    const { data } = await this.#send("Page.printToPDF", { printBackground: true });
    return Buffer.from(data as string, "base64");
  }

  #send(method: string, params: Answer = {}): Promise<Answer> {
    return this.#browser.send(method, params, this.#session);
  }
}
