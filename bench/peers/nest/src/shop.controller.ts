import { Body, Controller, Get, NotFoundException, Param, ParseUUIDPipe, Post, Query, Request } from "@nestjs/common";
import { SkipThrottle } from "@nestjs/throttler";
import { Type } from "class-transformer";
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsUUID, Max, Min, ValidateNested } from "class-validator";
import { type Caller, Public } from "./auth.guard.js";
import { ShopService } from "./shop.service.js";

class PageDto {
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit = 20;
}

class LineDto {
  @IsUUID() productId: string;

  @IsInt()
  @Min(1)
  @Max(999)
  quantity: number;
}

class CheckoutDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ValidateNested({ each: true })
  @Type(() => LineDto)
  items: LineDto[];
}

@Controller()
export class ShopController {
  constructor(private readonly shop: ShopService) {}

  @Public()
  @SkipThrottle()
  @Get("health")
  health() {
    return { status: "healthy" };
  }

  @Get("v1/products/:id")
  async product(@Param("id", ParseUUIDPipe) id: string) {
    const product = await this.shop.product(id);
    if (product === null) throw new NotFoundException();
    return product;
  }

  @Get("v1/users/:id/orders")
  async orders(
    @Param("id", ParseUUIDPipe) id: string,
    @Query() { limit }: PageDto,
    @Request() request: { caller: Caller },
  ) {
    if (id !== request.caller.userId) throw new NotFoundException();
    return { data: await this.shop.orders(id, limit) };
  }

  @Post("v1/orders")
  place(@Body() { items }: CheckoutDto, @Request() request: { caller: Caller }) {
    return this.shop.place(request.caller.userId, items);
  }
}
