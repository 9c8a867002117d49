import type { Terminal } from "./terminal.ts";

export interface Progress {
  say(text: string): void;
  done(): void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * One line on stderr that says what is being waited for, from the first second on: what is over sooner needs no words.
 * Nothing at all where stderr is not a terminal.
 */
export function startProgress(terminal: Terminal, text: string, delayMs = 900): Progress {
  if (!terminal.interactive) return { say: () => {}, done: () => {} };
  const begun = Date.now();
  let now = text;
  let shown = false;
  let frame = 0;
  const timer = setInterval(() => {
    if (Date.now() - begun < delayMs) return;
    shown = true;
    const seconds = Math.floor((Date.now() - begun) / 1000);
    terminal.err.write(`\r\x1b[2K${terminal.paintErr("cyan", FRAMES[frame++ % FRAMES.length] as string)} ${now} ${terminal.paintErr("dim", `${seconds} s`)}`);
  }, 100);
  timer.unref();
  return {
    say: (next) => {
      now = next;
    },
    done: () => {
      clearInterval(timer);
      if (shown) terminal.err.write("\r\x1b[2K");
      shown = false;
    },
  };
}
