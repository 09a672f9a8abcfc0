// The same requests with Nest on Fastify and TypeORM, as the chapters of its documentation on authentication, rate
// limiting, validation, caching and databases show them: global guards, the ValidationPipe, the CacheInterceptor.

import "reflect-metadata";
import { CacheInterceptor, CacheModule } from "@nestjs/cache-manager";
import { Module, ValidationPipe } from "@nestjs/common";
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import { ThrottlerGuard, ThrottlerModule } from "@nestjs/throttler";
import { TypeOrmModule } from "@nestjs/typeorm";
import { AuthGuard } from "./auth.guard.js";
import { Order, OrderItem, Outbox, Product } from "./entities.js";
import { ShopController } from "./shop.controller.js";
import { ShopService } from "./shop.service.js";

const { PORT, DATABASE_URL, CACHE } = process.env;
const entities = [Product, Order, OrderItem, Outbox];

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: "postgres", url: DATABASE_URL, entities, logging: false }),
    TypeOrmModule.forFeature(entities),
    ThrottlerModule.forRoot({ throttlers: [{ ttl: 60_000, limit: 100_000_000 }] }),
    CacheModule.register({ ttl: 60_000 }),
  ],
  controllers: [ShopController],
  providers: [
    ShopService,
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    ...(CACHE === "on" ? [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }] : []),
  ],
})
class ShopModule {}

const app = await NestFactory.create<NestFastifyApplication>(ShopModule, new FastifyAdapter(), { logger: false });
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
app.enableShutdownHooks();
await app.listen(Number(PORT), "127.0.0.1");
