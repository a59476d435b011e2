// What the scripts print: headings with the time passed, commands as a reader would type them, ticks and crosses.
const colour = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== "dumb";
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = paint("1");
export const dim = paint("2");
export const green = paint("32");
export const red = paint("31");

// `npm run demo | head`: the reader has seen enough; what was started stays.
process.stdout.on("error", (error) => process.exit(error.code === "EPIPE" ? 0 : 1));

const started = Date.now();

/** Seconds since the script began, such as `12.3 s`. */
export const elapsed = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;

export const say = (text = "") => process.stdout.write(`${text}\n`);
export const heading = (text) => say(`\n${bold(`== ${text}`)} ${dim(`(${elapsed()})`)}`);
export const ok = (text) => say(`${green("ok")}  ${text}`);
export const bad = (text) => say(`${red("NOT AS EXPECTED")}  ${text}`);
export const remark = (text) => say(dim(`# ${text}`));

/** An end with one clear text and without a stack. */
export class Stop extends Error {}
