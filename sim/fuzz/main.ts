/** `npm run fuzz`: the campaign from the command line. */
import { parseArgs } from "node:util";
import { type Problem, runCampaign, runInputs } from "./campaign.ts";
import type { Input } from "./input.ts";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    hex: { type: "string" },
  },
});

function show({ seed, index, hex, what }: Problem): void {
  const lines = [`\nproblem: ${what}`];
  if (index >= 0) lines.push(`  again: npm run fuzz -- --seed ${seed} --first ${index} --inputs 1`);
  if (hex.length > 0 && hex.length < 20_000) lines.push(`  or:    npm run fuzz -- --hex ${hex}`);
  const input = Buffer.from(hex, "hex").toString("latin1");
  if (input !== "") lines.push(`  input: ${JSON.stringify(input.slice(0, 600))}`);
  // One write: several processes may share the terminal.
  console.log(lines.join("\n"));
}

/** Whether its framing is whole is unknown here. */
function given(hex: string): Input {
  return { bytes: Buffer.from(hex, "hex"), whole: false };
}

const seed = Number(values.seed);
const first = Number(values.first);
const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1000;
const so = (inputs: number): string => `seed ${seed} from ${first}: ${inputs} inputs in ${seconds().toFixed(1)} s`;

/** Problems found among how many inputs. */
async function campaign(): Promise<{ problems: readonly Problem[]; inputs: number }> {
  const { hex } = values;
  if (hex !== undefined) return { problems: await runInputs(seed, [0], () => given(hex), show), inputs: 1 };
  return runCampaign({
    seed,
    first,
    count: Number(values.inputs),
    onProblem: show,
    onProgress: (inputs) => {
      if (inputs % 20_000 === 0) console.error(`${so(inputs)} …`);
    },
  });
}

const { problems, inputs } = await campaign();
console.log(`${so(inputs)}, ${problems.length} problems`);
process.send?.({ inputs, problems: problems.length });
process.exitCode = problems.length > 0 ? 1 : 0;
