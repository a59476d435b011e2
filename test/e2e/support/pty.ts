/** A terminal for `docker run -it` and its like: script(1) of util-linux, which passes the exit code on. */

/**
 * The shell line that runs `line` on a terminal of its own and prints what the terminal showed. Standard input stays open
 * until the line has ended: at its end script types the end-of-file key into the terminal, whenever that falls, and it
 * does not end before.
 */
export function onTerminal(line: string): string {
  return `mkfifo hold; sleep 60 >hold 2>/dev/null & export holder=$!; script -qec ${quote(`${line}; code=$?; kill $holder; exit $code`)} /dev/null <hold`;
}

/** Quotes one word for a POSIX shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
