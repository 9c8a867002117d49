"use strict";
/** Whether the marker, which came in with an input, would be obeyed: as a command of a shell, a word of SQL, a name in code. Quoted it is data. */
const MARK = "pfzq7";
const BARE = /(?<![\w$])pfzq7(?![\w$])/;

/** POSIX shell, 2.2 Quoting and 2.9 Commands: true where the marker stands where a command's name stands. */
function shellRuns(command) {
  let quote = "";
  let word = "";
  let first = true;
  let runs = false;
  const ends = () => {
    runs ||= first && word === MARK;
  };
  for (let i = 0; i < command.length; i++) {
    const c = command[i];
    if (quote === "'") {
      if (c === "'") quote = "";
      else word += c;
      continue;
    }
    const opens = c === "`" || (c === "$" && command[i + 1] === "(");
    if (opens && /^(`|\$\()\s*pfzq7\s*[)`;|&]/.test(command.slice(i, i + 64))) runs = true;
    if (c === "\\") word += command[++i] ?? "";
    else if (quote === '"') {
      if (c === '"') quote = "";
      else word += c;
    } else if (c === "'" || c === '"') quote = c;
    else if (c === "#" && word === "") while (i + 1 < command.length && command[i + 1] !== "\n") i++;
    else if (";|&\n(".includes(c)) {
      ends();
      first = true;
      word = "";
    } else if (c === " " || c === "\t" || c === ")") {
      ends();
      if (word !== "") first = /^\w+=/.test(word);
      word = "";
    } else word += c;
  }
  ends();
  return quote === "" && runs;
}

/** What is left of text without its strings and comments. */
function bare(text, quotes, comments, escapes) {
  let left = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quotes.includes(c)) {
      let end = i + 1;
      while (end < text.length && text[end] !== c) end += escapes && text[end] === "\\" ? 2 : 1;
      if (end >= text.length) return left; // unfinished: nothing behind it is obeyed
      i = end;
      left += " ";
    } else if (comments.includes(text.slice(i, i + 2)) && text[i + 1] !== "*") while (i + 1 < text.length && text[i + 1] !== "\n") i++;
    else if (text.startsWith("/*", i)) {
      const end = text.indexOf("*/", i + 2);
      if (end < 0) return left;
      i = end + 1;
      left += " ";
    } else left += c;
  }
  return left;
}

const sqlObeys = (text) => text.includes(MARK) && BARE.test(bare(text, "'\"`", ["--"], false));
const codeObeys = (text) => text.includes(MARK) && BARE.test(bare(text, "'\"`", ["//"], true));

module.exports = { MARK, shellRuns, sqlObeys, codeObeys };
