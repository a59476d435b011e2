/** How commander gathers the values of a flag that may be given several times. */
export const repeat = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];
