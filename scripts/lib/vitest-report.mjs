// A vitest reporter for scripts/test.mjs: one JSON line for the plan, one for each file as soon as its tests are through,
// so that a run which is killed has still told what it found until then.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

const write = (value) => appendFileSync(process.env.SHOAL_TEST_REPORT, `${JSON.stringify(value)}\n`);
const inRepository = (path) => relative(process.cwd(), path);
/** Of the stack only the repository's own lines. */
function words({ message, stack = "", diff }) {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line) && !/node_modules|new Promise/.test(line));
  return stripVTControlCharacters([message, ...frames, diff].filter(Boolean).join("\n"));
}

export default class Report {
  onTestRunStart(specifications) {
    write({ planned: specifications.map(({ moduleId }) => inRepository(moduleId)) });
  }

  onTestModuleEnd(module) {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const failures = [];
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      if (state in count) count[state]++;
      if (state === "failed") failures.push({ test: test.fullName, message: (errors ?? []).map(words).join("\n") });
    }
    // What a hook or the file itself threw belongs to no test.
    const suites = [module, ...module.children.allSuites()];
    for (const suite of suites)
      for (const error of suite.errors()) failures.push({ test: suite.fullName ?? "", message: words(error) });
    count.failed = failures.length;
    write({ file: module.relativeModuleId, seconds: module.diagnostic().duration / 1000, ...count, failures });
  }

  onTestRunEnd(_modules, unhandled) {
    for (const error of unhandled) {
      const file = error.VITEST_TEST_PATH && inRepository(error.VITEST_TEST_PATH);
      write({ stray: { file, test: "an error that no test waited for", message: words(error) } });
    }
    write({ ended: true });
  }
}
