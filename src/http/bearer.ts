/** The token of an `Authorization: Bearer <token>` header; undefined for any other form. */
export const readBearer = (authorization: string | undefined): string | undefined =>
  /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
