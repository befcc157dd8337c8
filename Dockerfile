# syntax=docker/dockerfile:1
FROM node:24-slim AS install
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
# `npm ci` builds as well.
RUN npm ci --no-audit --no-fund

FROM install AS build
RUN npm prune --omit=dev --ignore-scripts

# The sweep over a self-hosted Inngest alone, without a bot: cron, once, test, redis-check, diagnose or verify.
FROM node:24-slim AS inngest-cleaner
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
# The driver of sqlite: addresses, in the version of the lock file.
COPY --from=install /app/node_modules/libsql node_modules/libsql
COPY --from=install /app/node_modules/@libsql node_modules/@libsql
COPY --from=install /app/node_modules/@neon-rs node_modules/@neon-rs
COPY --from=build /app/dist dist
USER node
ENTRYPOINT ["node", "dist/cli.js", "inngest"]
CMD ["cron"]

FROM node:24-slim AS orderly
WORKDIR /app
ENV NODE_ENV=production PORT=3000
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
# What BULLMQ_REDIS_URL needs, in the versions of the lock file.
COPY --from=install /app/node_modules/bullmq node_modules/bullmq
COPY --from=install /app/node_modules/cron-parser node_modules/cron-parser
COPY --from=install /app/node_modules/detect-libc node_modules/detect-libc
COPY --from=install /app/node_modules/msgpackr node_modules/msgpackr
COPY --from=install /app/node_modules/node-abort-controller node_modules/node-abort-controller
COPY --from=install /app/node_modules/node-gyp-build-optional-packages node_modules/node-gyp-build-optional-packages
COPY --from=install /app/node_modules/tslib node_modules/tslib
COPY --from=build /app/dist dist
USER node
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
