import { noSequentialScans } from "ashlar/testing";
import { catalogService } from "./service.ts";

await noSequentialScans(catalogService(), { columns: { products: { sku: "'SKU-' || n" } } });
