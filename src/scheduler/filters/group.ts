/** What belongs together goes where it lives: the group's home. */
import { livesAt } from "../node-view.ts";
import type { Filter } from "./filter.ts";

const REMEDY =
  "make room there, or let its containers live apart with the label shoal.group.policy=pack-then-spill or spread";

export const group: Filter = {
  name: "group",
  kind: "condition",
  check: (request, { surroundings, nodes }) => {
    if (request.group === undefined) return undefined;
    const { key } = request.group;
    const { policy, home } = surroundings.groupOf(request.group);
    if (home === undefined || policy === "spread") return undefined;
    const accepts = ({ id }: { readonly id: string }): boolean => id === home.node;
    if (policy === "pack-then-spill") {
      const soft = [{ text: `group ${key}`, holds: accepts }];
      return { accepts: () => true, why: () => "", words: [], soft };
    }
    const lives = (): string => `${key} ${livesAt(home, nodes)}`;
    return {
      accepts,
      why: lives,
      words: [`group ${key}`],
      get summary() {
        return `${lives()}; ${REMEDY}`;
      },
    };
  },
};
