// What the stream, its consumers and the subjects of a system are called. One NATS may serve several systems.
//
//   ashlar.<system>.events.<subscriber>.<type>    an event on its way; all of these are in the stream
//   ashlar.<system>.outcomes.<instance>           what became of events, to the process that sent them; in no stream

export interface Names {
  readonly stream: string;
  readonly events: string;
  eventSubject(subscriber: string, type: string): string;
  /** The events of a subscriber; its durable consumer has its name. */
  eventsOf(subscriber: string): string;
  outcomeSubject(instance: string): string;
}

export function namesOf(system: string): Names {
  const prefix = `ashlar.${tokenOf(system)}`;
  const eventsOf = (subscriber: string) => `${prefix}.events.${tokenOf(subscriber)}.>`;
  return {
    stream: `ashlar-${system}`,
    events: `${prefix}.events.>`,
    eventSubject: (subscriber, type) =>
      `${prefix}.events.${tokenOf(subscriber)}.${type.split(".").map(tokenOf).join(".")}`,
    eventsOf,
    outcomeSubject: (instance) => `${prefix}.outcomes.${tokenOf(instance)}`,
  };
}

/** Dots, spaces and wildcards would lead elsewhere. */
function tokenOf(name: string): string {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name))
    throw new Error(`"${name.slice(0, 128)}" cannot be part of a NATS subject. Use letters, digits, - and _.`);
  return name;
}
