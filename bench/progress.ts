/** Says on one line of stderr what is being measured, where that is a terminal; otherwise nothing: the report alone is the output. */
export interface Progress {
  say(text: string): void;
  done(): void;
}

export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY || process.env.TERM === "dumb") return { say: () => {}, done: () => {} };
  const begun = performance.now();
  let now = "";
  const show = () => stream.write(`\r\x1b[2K\x1b[36m●\x1b[39m ${now} \x1b[2m${Math.floor((performance.now() - begun) / 1000)} s\x1b[22m`);
  return {
    // No timer: it would wake up in the middle of what is being measured.
    say: (text) => {
      now = text;
      show();
    },
    done: () => void stream.write("\r\x1b[2K"),
  };
}
