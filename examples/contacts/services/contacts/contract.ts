import { anyone, change, list, nullable, resource, service, text } from "ashlar/contract";

const phone = () => text({ min: 3, max: 30 });

export const contact = resource("contact", {
  path: "/contacts",
  id: "con",
  properties: { name: text({ min: 1, max: 100 }), phones: list(phone(), { max: 5, default: [] }) },
  sortable: ["name"],
  access: { list: anyone, create: anyone, get: anyone, update: anyone },
});

/** Version 1 knew one phone at most: the first. */
const onePhone = change(contact, {
  until: 1,
  removes: ["phones"],
  adds: { phone: nullable(phone()) },
  toOlder: ({ phones, ...rest }) => (phones === undefined ? rest : { ...rest, phone: (phones as string[])[0] ?? null }),
  toNewer: ({ phone, ...rest }) => (phone === undefined ? rest : { ...rest, phones: phone === null ? [] : [phone] }),
});

export const contacts = service("contacts", {
  summary: "People and how to reach them",
  resources: [contact],
  versions: [{ number: 1, deprecatedAt: "2026-06-01T00:00:00Z", sunsetAt: "2099-06-01T00:00:00Z" }, { number: 2 }],
  changes: [onePhone],
});
