// Runs named cases one after the other and tells them as TAP does; shared by the clients that are npm packages.

/** @param {Record<string, () => Promise<void>>} cases */
export async function runCases(cases) {
  const names = Object.keys(cases);
  for (const name of names) {
    try {
      await cases[name]();
      console.log(`ok - ${name}`);
    } catch (error) {
      console.log(`not ok - ${name} # ${String(error?.stack ?? error).replaceAll("\n", " ")}`);
    }
  }
  console.log(`1..${names.length}`);
  process.exit(0);
}

/** Asks until the answer is true, a minute long. */
export async function until(ask) {
  for (let tries = 0; tries < 300; tries++) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`never: ${ask}`);
}
