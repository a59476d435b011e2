// Runs named cases one after the other and tells them as TAP does; shared by the clients that are npm packages.

const CASE_MS = 180_000;

/** @param {Record<string, () => Promise<void>>} cases */
export async function runCases(cases) {
  const names = Object.keys(cases);
  for (const name of names) {
    try {
      await inTime(cases[name]());
      console.log(`ok - ${name}`);
    } catch (error) {
      console.log(`not ok - ${name} # ${String(error?.stack ?? error).replaceAll("\n", " ")}`);
    }
  }
  console.log(`1..${names.length}`);
  process.exit(0);
}

/** The timer also keeps the program alive: a library may leave nothing but a socket that Node does not wait for. */
async function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${CASE_MS} ms`)), CASE_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Asks until the answer is true, two minutes long. */
export async function until(ask) {
  for (let tries = 0; tries < 600; tries++) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`never: ${ask}`);
}
