// The guard of Nest's chapter on authentication. Its @nestjs/jwt knows no Ed25519, so jose verifies the token.

import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  UnauthorizedException,
} from "@nestjs/common";
import { Reflector } from "@nestjs/core";
import { importJWK, jwtVerify } from "jose";

const IS_PUBLIC = "isPublic";
export const Public = () => SetMetadata(IS_PUBLIC, true);

export interface Caller {
  userId: string;
  roles: string[];
}

const { TOKEN_JWK = "" } = process.env;
const { kty, crv, x } = JSON.parse(TOKEN_JWK);
const key = await importJWK({ kty, crv, x }, "EdDSA");

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, [context.getHandler(), context.getClass()])) return true;
    const request = context.switchToHttp().getRequest();
    const [type, token] = request.headers.authorization?.split(" ") ?? [];
    if (type !== "Bearer" || token === undefined) throw new UnauthorizedException();
    try {
      const { payload } = await jwtVerify(token, key, { audience: "shop", issuer: "shop" });
      request.caller = { userId: payload.sub, roles: payload.roles };
    } catch {
      throw new UnauthorizedException();
    }
    return true;
  }
}
