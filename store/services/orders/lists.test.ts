import { noSequentialScans } from "ashlar/testing";
import { ordersService } from "./service.ts";

await noSequentialScans(ordersService());
