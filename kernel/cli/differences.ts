// How one JSON document became another, one line for each place: `+` new, `-` gone, `~` changed.

type Json = unknown;

const textMax = 60;

export function differences(before: Json, after: Json, path: readonly string[] = []): string[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => {
      const place = [...path, key];
      if (!(key in after)) return [`- ${format(place)}`];
      if (!(key in before)) return [`+ ${format(place)}`];
      return differences(before[key], after[key], place);
    });
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [`~ ${format(path)}: ${short(before)} -> ${short(after)}`];
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null;
}

/** `paths["/v1/products"].get.responses[404]`: keys that are no names are in brackets. */
function format(path: readonly string[]): string {
  const keys = path.map((key) =>
    /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : /^\d+$/.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`,
  );
  return keys.join("").replace(/^\./, "") || "the document";
}

function short(value: Json): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > textMax ? `${text.slice(0, textMax)}...` : text;
}
