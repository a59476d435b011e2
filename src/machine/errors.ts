/** What goes wrong with a machine, in words that carry the remedy. Must not know who prints it. */

/** `precreate`: the host is not fit for it and nothing was touched; `failed`: all else. */
export type MachineFault = "precreate" | "failed";

export class MachineError extends Error {
  readonly fault: MachineFault;
  constructor(fault: MachineFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "MachineError";
    this.fault = fault;
  }
}

export const unfit = (message: string): MachineError => new MachineError("precreate", message);
export const failed = (message: string, cause?: unknown): MachineError =>
  new MachineError("failed", message, cause === undefined ? undefined : { cause });
export const noSuchMachine = (name: string): MachineError =>
  failed(`machine "${name}" does not exist; shoal machine ls shows those that do`);
