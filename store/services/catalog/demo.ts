// Products for a newcomer to browse. Only an empty catalog is filled, so repeating it changes nothing.

import type { Context } from "ashlar/service";
import { createRow } from "ashlar/service";
import { product } from "./contract.ts";

const products: [sku: string, name: string, price: number, stock: number, description: string][] = [
  ["MUG-350-WHT", "Stoneware mug, white", 14.5, 120, "Holds 350 ml. Dishwasher safe, glazed inside and out."],
  ["MUG-350-BLK", "Stoneware mug, black", 14.5, 80, "Holds 350 ml. Dishwasher safe, glazed inside and out."],
  ["TEA-POT-900", "Teapot with strainer", 39.9, 35, "Borosilicate glass, 900 ml, with a steel strainer."],
  ["PEN-ROL-05", "Rollerball pen 0.5 mm", 6.95, 400, "Black ink that dries in a second; refills fit."],
  ["NBK-A5-DOT", "Notebook A5, dotted", 17.99, 260, "192 numbered pages of 100 g paper, lies flat."],
  ["NBK-A4-LIN", "Notebook A4, lined", 22.5, 140, "160 pages of 100 g paper with perforated corners."],
  ["BAG-TOT-NAT", "Canvas tote bag", 24, 90, "Heavy organic cotton, carries 15 kg."],
  ["BAG-RUC-GRN", "Roll-top rucksack, green", 119, 25, "24 litres, waterproof, with a sleeve for a 15-inch laptop."],
  ["LMP-DSK-BRS", "Desk lamp, brass", 149.99, 18, "Dimmable, 2700 K, turns in every direction."],
  ["CHR-OAK-01", "Oak chair", 289, 12, "Solid oak, oiled, assembled."],
  ["TBL-OAK-160", "Oak table 160 cm", 899, 5, "Solid oak, seats six."],
  ["RUG-WOL-200", "Wool rug 200 x 140", 329.5, 9, "Hand-woven, undyed wool."],
  ["KTL-STL-17", "Kettle 1.7 l", 64.9, 60, "Brushed steel; keeps the temperature for thirty minutes."],
  ["KNF-CHF-20", "Chef's knife 20 cm", 98, 40, "Forged, 58 HRC, walnut handle."],
  ["BRD-WAL-40", "Walnut cutting board", 54, 55, "40 x 28 cm, end grain, with a juice groove."],
  ["PAN-IRN-26", "Cast iron pan 26 cm", 59.95, 70, "Seasoned, for every hob including induction."],
  ["CFF-BEA-1K", "Coffee beans 1 kg", 27.5, 300, "Washed arabica, roasted this week."],
  ["CFF-GRD-HND", "Hand coffee grinder", 84, 45, "Steel burrs, 30 clicks from espresso to press."],
  ["BLK-WOL-130", "Wool blanket", 110, 33, "130 x 180 cm, recycled wool."],
  ["CDL-BEE-3", "Beeswax candles, three", 19.95, 150, "Burn for nine hours each."],
  ["HDP-OVR-BLK", "Over-ear headphones", 199, 28, "Closed, wired, every part can be replaced."],
  ["KBD-MEC-75", "Mechanical keyboard 75 %", 169, 21, "Hot-swap switches, aluminium case, cable included."],
  ["CLK-WAL-25", "Wall clock", 45, 48, "25 cm, silent movement."],
  ["VSE-GLS-30", "Glass vase 30 cm", 38.5, 64, "Mouth-blown; each is a little different."],
];

export async function seedProducts(ctx: Context): Promise<number> {
  const { rows } = await ctx.db.query("select 1 from products limit 1");
  if (rows.length > 0) return 0;
  for (const [sku, name, price, stock, description] of products)
    await createRow(ctx, product, { sku, name, description, price, currency: "EUR", stock });
  return products.length;
}
