/** Names for containers that were given none: an adjective and a creature of the sea. */
import { pick, type Random } from "../../src/kit/random.ts";

const LEFT = ["amber", "brave", "calm", "deep", "eager", "fair", "glad", "happy", "keen", "lively", "mild", "noble"];
const RIGHT = [
  "anchovy",
  "bream",
  "cod",
  "dory",
  "eel",
  "flounder",
  "goby",
  "herring",
  "ide",
  "ling",
  "mullet",
  "perch",
];

export const randomName = (random: Random): string => `${pick(random, LEFT)}_${pick(random, RIGHT)}`;
