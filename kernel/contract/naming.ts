// Names that follow from names.

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll("-", "_");
}

/** "an order", but "a user": a leading u sounds like you. */
export function article(name: string, a = "a"): string {
  return /^[aeio]/.test(name) ? `${a}n` : a;
}
