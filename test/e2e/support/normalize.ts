/**
 * Turns what two runs print into what they say: IDs, times, spans, chosen ports and addresses become placeholders,
 * numbered by first sight, so that two texts are equal exactly when they tell the same story.
 */

export interface NormalizeOptions {
  /** The addresses that published ports are shown with: of the nodes, or `0.0.0.0` on one engine. */
  readonly addresses: readonly string[];
  /** Whether a port's IPv6 twin may stand beside it: on one engine it does, on a cluster it must not. */
  readonly ipv6Twins: boolean;
}

const RULES: readonly (readonly [RegExp, string])[] = [
  [/\b(?!0001-)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, "<time>"],
  [/\b(?!0001-)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} \w+/g, "<time>"],
  [/\b(?:Less than a second|About an? \w+|\d+ (?:seconds?|minutes?|hours?)) ago/g, "<span> ago"],
  [/\bUp (?:Less than a second|About an? \w+|\d+ (?:seconds?|minutes?|hours?))/g, "Up <span>"],
  [/\b172\.(?:1[7-9]|2\d|3[01])\.\d+\.\d+\b/g, "<ip>"],
  [/\b02:42(?::[0-9a-f]{2}){4}\b/g, "<mac>"],
  // A resolver that refuses names its own socket.
  [/127\.0\.0\.\d+:\d+->127\.0\.0/g, "<socket>->127.0.0"],
  [/[ \t]{2,}/g, "  "],
  [/[ \t]+$/gm, ""],
];

/**
 * Where dockerd 20.10's words differ from those of the API version that a cluster speaks: put into the newer ones, as
 * Docker Engine 28.5 was heard to say them, whole. A subject that says the older ones is not told apart, one that says
 * something else is. And lines whose order or presence is chance.
 */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [
    /\bInvalid filter 'status=(\w+)'/g,
    "invalid filter 'status=$1': invalid value for state ($1): must be one of created, running, paused, restarting, removing, exited, dead",
  ],
  [/(?<=daemon: )strconv\.Atoi: parsing "(\w+)"/g, `invalid filter 'exited=$1': strconv.Atoi: parsing "$1"`],
  [/\bInvalid filter '/g, "invalid filter '"],
  [
    /\bUnrecognised filter value for health: (\w+)/g,
    "invalid filter 'health=$1': invalid value for health ($1): must be one of none, starting, healthy, unhealthy",
  ],
  [/\bCannot kill container\b/g, "cannot kill container"],
  [/(?<=daemon: )no such container (\w+)$/gm, "No such container: $1"],
  [/\bno such image: [^ :]+(?::\w+)?: No such image: /g, "No such image: "],
  // CLI 20.10 says this or not, and sooner or later, depending on which of its own routines ends first.
  [/^time="<time>" level=error msg="error waiting for container: context canceled"\n/gm, ""],
];

/** One side of a comparison: placeholders are numbered over all that this side printed. */
export class Normalizer {
  readonly #options: NormalizeOptions;
  readonly #ids: string[] = [];
  readonly #ports: string[] = [];

  constructor(options: NormalizeOptions) {
    this.#options = options;
  }

  /** What one command printed, its standard error below a mark; no mark when what is left of that says nothing. */
  printed({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string {
    const [out, err] = [this.text(stdout), this.text(stderr)];
    return err === "" ? out : `${out}[stderr]\n${err}\n`;
  }

  text(raw: string): string {
    let text = raw;
    if (this.#options.ipv6Twins) text = withoutTwins(text);
    for (const address of this.#options.addresses) text = text.replaceAll(address, "<address>");
    for (const [pattern, placeholder] of [...RULES, ...WORDS]) text = text.replace(pattern, placeholder);
    // Chosen by the engine: 32768 and up.
    text = text.replace(/(?<=<address>:)(\d{5})\b/g, (port) => (Number(port) >= 32_768 ? this.#port(port) : port));
    return text.replace(/\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g, (id) => this.#id(id));
  }

  /** Normalises every string in a value parsed from JSON, and sorts the keys. */
  value(raw: unknown): unknown {
    if (typeof raw === "string") return this.text(raw);
    if (Array.isArray(raw)) return raw.map((item) => this.value(item));
    if (typeof raw !== "object" || raw === null) return raw;
    const pairs = Object.entries(raw).sort(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(pairs.map(([key, item]) => [this.text(key), this.value(item)]));
  }

  #id(id: string): string {
    let index = this.#ids.findIndex((known) => known.startsWith(id) || id.startsWith(known));
    if (index < 0) index = this.#ids.push(id) - 1;
    else if (id.length > (this.#ids[index]?.length ?? 0)) this.#ids[index] = id;
    return `<id ${index + 1}${id.length === 12 ? " short" : ""}>`;
  }

  #port(port: string): string {
    let index = this.#ports.indexOf(port);
    if (index < 0) index = this.#ports.push(port) - 1;
    return `<port ${index + 1}>`;
  }
}

/** Takes the IPv6 twin out of what one engine prints for a port: in `ps` after a comma, in `port` on its own line. */
function withoutTwins(text: string): string {
  return text
    .replace(/, (?::::|\[::\]:)\d+(?:-\d+)?->[\d-]+\/\w+/g, "")
    .replace(/^(?:[\d-]+\/\w+ -> )?(?::::|\[::\]:)\d+\n/gm, "");
}
