// What runs of test files came to: counts, and which failures were gone when their file ran again. Pure.

/**
 * @typedef {{ test: string, message: string }} Failure
 * @typedef {{ file: string, passed: number, failed: number, skipped: number, failures: Failure[], seconds?: number, cut?: boolean }} Outcome
 *   of one file; `file` is "" for a run that broke down before it knew its files; `cut`: the run ended before this file did
 */

const cutShort = (file, why) => ({
  file,
  passed: 0,
  failed: 1,
  skipped: 0,
  failures: [{ test: "", message: why }],
  cut: true,
});

/**
 * The outcome of each file of one run.
 * @param {string} text the lines of vitest-report.mjs
 * @param {number} code the run's exit status
 * @returns {Outcome[]}
 */
export function outcomesOf(text, code) {
  const lines = text.split("\n").flatMap(parsed);
  const planned = lines.flatMap((line) => line.planned ?? []);
  const files = new Map(lines.filter((line) => line.file !== undefined).map((line) => [line.file, line]));
  const ended = lines.some((line) => line.ended);
  for (const file of planned)
    if (!files.has(file)) files.set(file, cutShort(file, "the run ended before this file did"));
  for (const { stray } of lines.filter((line) => line.stray)) {
    const blamed = files.get(stray.file) ?? cutShort("", "");
    const earlier = blamed.failures.filter(({ message }) => message !== "");
    const failures = [...earlier, { test: stray.test, message: stray.message }];
    files.set(blamed.file, { ...blamed, failed: failures.length, failures });
  }
  const outcomes = [...files.values()];
  if (outcomes.length === 0 || (code !== 0 && !outcomes.some(({ failed }) => failed > 0)))
    outcomes.push(
      cutShort("", ended ? `the run ended with status ${code}` : "the run broke down; its output is above"),
    );
  return outcomes;
}

/** A line that was cut off when its writer was killed says nothing. */
function parsed(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

/**
 * Which files of a run are worth a second one, in groups that run together: what was cut short in one group, each file
 * that failed by itself. None when so many failed that it cannot be chance.
 * @param {Outcome[]} outcomes
 * @param {number} most files that failed by themselves
 * @returns {string[][]} an empty group is the whole suite
 */
export function worthAgain(outcomes, most) {
  const failed = outcomes.filter((outcome) => outcome.failed > 0);
  if (failed.some(({ file }) => file === "")) return outcomes.every(({ passed }) => passed === 0) ? [[]] : [];
  const cut = failed.filter((outcome) => outcome.cut).map(({ file }) => file);
  const alone = failed.filter((outcome) => !outcome.cut).map(({ file }) => file);
  if (alone.length > most) return [];
  return [...alone.map((file) => [file]), ...(cut.length > 0 ? [cut] : [])];
}

/**
 * The outcomes after second runs, and the first failures of files that passed then.
 * @param {Outcome[]} first
 * @param {Outcome[]} second
 * @returns {{ outcomes: Outcome[], flaky: Outcome[] }}
 */
export function settled(first, second) {
  const later = new Map(second.map((outcome) => [outcome.file, outcome]));
  const whole = first.some(({ file }) => file === "") && second.length > 0;
  if (whole) {
    const fine = second.every(({ failed }) => failed === 0);
    return { outcomes: second, flaky: fine ? first.filter(({ failed }) => failed > 0) : [] };
  }
  return {
    outcomes: first.map((outcome) => later.get(outcome.file) ?? outcome),
    flaky: first.filter((outcome) => outcome.failed > 0 && later.get(outcome.file)?.failed === 0),
  };
}
