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
  console.log(`\nproblem: ${what}`);
  if (index >= 0) console.log(`  again: npm run fuzz -- --seed ${seed} --first ${index} --inputs 1`);
  if (hex.length > 0 && hex.length < 20_000) console.log(`  or:    npm run fuzz -- --hex ${hex}`);
  if (hex.length > 0)
    console.log(`  input: ${JSON.stringify(Buffer.from(hex, "hex").toString("latin1").slice(0, 600))}`);
}

/** Whether its framing is whole is unknown here. */
function given(hex: string): Input {
  return { bytes: Buffer.from(hex, "hex"), whole: false };
}

const seed = Number(values.seed);
const began = process.hrtime.bigint();
const { problems, inputs } =
  values.hex === undefined
    ? await runCampaign({
        seed,
        first: Number(values.first),
        count: Number(values.inputs),
        onProgress: (done) => {
          if (done % 40_000 === 0) console.error(`${done} inputs …`);
        },
      })
    : { problems: await runInputs(seed, [0], () => given(values.hex ?? "")), inputs: 1 };
for (const problem of problems) show(problem);
const seconds = Number((process.hrtime.bigint() - began) / 1_000_000n) / 1000;
console.log(`\nseed ${seed}: ${inputs} inputs in ${seconds.toFixed(1)} s, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
